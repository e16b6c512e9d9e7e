// Judging a table, alone or as the successor of an earlier version, and naming the records that must go.
//
// Threat 21 of the threat list: whoever holds two versions learns from their difference, so with an earlier version the
// union must satisfy the requirement too, no class may shrink below k, and no class may gain or lose fewer than k.
// Thread-safety: pure functions. Errors: kInvalid "quasi_missing", "attribute_missing", and those of generalising and
// of Sensitive::create.
#pragma once

#include <optional>
#include <vector>

#include "policies/risk/requirement.h"

namespace mlops::risk {

struct Versions {
  std::size_t now = 0;
  std::optional<std::size_t> before;
  std::optional<std::size_t> population;
};

// With OnFail::kSuppressRecords the report is about what is left after suppression. REQUIRES: `table` has the columns
// of requirement.columns().
Result<RiskReport> assess(const RiskTable& table, const RiskRequirement& requirement, const Versions& versions);

// One flag a record of the version: it must be left out for k, l and t to hold. Classes that fail go as a whole, and t
// is looked at again without them until nothing fails, since they leave the distribution too; all may go. With an
// earlier version also what isolates: classes that gained fewer than k lose their records, as do those that shrank.
Result<std::vector<bool>> suppression(const RiskTable& table, const RiskRequirement& requirement,
                                      const Versions& versions);

}  // namespace mlops::risk
