// Private to policies/detect: what a finding weighs in program source and in logs (source_text.h).
//
// Only the score of weak findings moves, to kInSource: they no longer refuse anything, and are redacted as before.
// Thread-safety: free function.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "policies/detect/text_scanner.h"

namespace mlops::detect {

// Below 0.5, where a finding counts; above 0.3, where redaction begins.
inline constexpr double kInSource = 0.4;

// Holds the weak findings among spans[from…] of `text` down to kInSource where it is source or a log, and versions and
// hardly likely addresses in the prose of such a document too:
//
//   both    dates without a word about a person in their line; web addresses that name neither a user nor a query
//   source  names that are members, parameters or identifiers, lone ones without a title or a label, and
//           those that neither begin with a known first name nor stand in quotes or beside the words of authors;
//           telephone numbers that are neither written as such nor told to be ones; addresses that are hardly any;
//           sections read as IP addresses; short serial numbers; letters that are escaped
void weigh_by_kind(std::string_view text, std::size_t from, std::vector<TypedSpan>& spans);

}  // namespace mlops::detect
