// How far the frequencies of a column of pseudonyms tell what they stand for: equal values get equal pseudonyms, so who
// knows how often a diagnosis or a surname occurs may match the counts, whatever the key.
//
// Sources: Shannon's entropy; min-entropy as in NIST SP 800-90B section 2.1 (the best single guess); frequency analysis
// of deterministic encryption as in Naveed, Kamara, Wright (2015). Counts only, never a value. Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "policies/risk/risk_table.h"

namespace mlops::risk {

struct Frequencies {
  std::string column;
  std::uint64_t records = 0;    // with a pseudonym: empty cells have none
  std::uint64_t distinct = 0;   // pseudonyms
  std::uint64_t commonest = 0;  // records of the commonest
  double entropy_bits = 0;
  double min_entropy_bits = 0;  // -log2 of the share of the commonest
  // Records whose pseudonym occurs as often as no other does: exact counts tell these.
  std::uint64_t told_by_count = 0;
};

// Of a sensitive column of a table with one version; `left_out[i]`: record i is not released (shorter: the rest are).
// REQUIRES: it is such a column.
Frequencies frequencies(const RiskTable& table, const std::string& column, const std::vector<bool>& left_out = {});
// Does the commonest pseudonym leave so much to guess? A column without any tells nothing.
bool leaves(const Frequencies& frequencies, double min_entropy_bits);
Json to_json(const Frequencies& frequencies);

}  // namespace mlops::risk
