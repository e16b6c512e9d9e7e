// Private to policies/detect: a plain shadow of a text, with the way back, against identifiers hidden by Unicode.
//
// Invisible format characters, variation selectors and combining marks disappear; full-width forms, mathematical
// letters, decimal digits of any script, look-alike Greek and Cyrillic letters, accented Latin letters, dashes, blanks
// and quotes become ASCII. Everything else, malformed bytes included, stays. Found spans are mapped back to the bytes
// of the original. Thread-safety: free function, plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

struct Folded {
  std::string text;
  std::vector<std::uint32_t> begin_of;  // per byte of text: where its character begins in the original
  std::vector<std::uint32_t> end_of;    // … and ends

  // REQUIRES: a non-empty span of `text`.
  Span to_original(const Span& span) const { return {begin_of[span.begin], end_of[span.end - 1], span.score}; }
};

bool is_ascii(std::string_view text);
Folded fold(std::string_view text);

}  // namespace mlops::detect
