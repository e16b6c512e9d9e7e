// Which quasi-identifier makes records stand out, and which generalisation would be enough.
//
// Loss of a column: 1 − log(distinct values after) / log(distinct values before), 0 untouched, 1 dropped. The search
// looks at every combination while they are few, else goes step by step to where most is won for the least loss and
// then takes back what was not needed. Thread-safety: pure functions. Errors: as assess().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/risk/requirement.h"

namespace mlops::risk {

struct Contribution {
  std::string column;
  std::uint64_t distinct = 0;        // values
  double distinction = 0;            // distinct / records
  double separation = 0;             // share of pairs of records that the column alone tells apart
  std::uint64_t unique_without = 0;  // units alone in their class when the column is dropped
  std::uint64_t below_k_without = 0;
};
// The column without which fewest stand alone first.
Result<std::vector<Contribution>> contributions(const RiskTable& table, const RiskRequirement& requirement,
                                                std::size_t version);

struct Suggestion {
  std::vector<std::pair<std::string, Generalization>> columns;  // in the order of the quasi-identifiers
  double loss = 0;                                              // the mean over columns
  std::uint64_t suppress_records = 0;                           // that still must go
  std::uint64_t classes = 0;
};
// The least loss with which k, l and t hold after leaving out at most requirement.max_suppressed of the records;
// nullopt: not even one class of all records holds.
Result<std::optional<Suggestion>> suggest(const RiskTable& table, const RiskRequirement& requirement,
                                          std::size_t version);

}  // namespace mlops::risk
