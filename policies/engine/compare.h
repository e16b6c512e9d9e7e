// What is different between two policies, in meaning: each difference with its direction, so that a reviewer sees first
// what a change lets through. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/engine/policy.h"

namespace mlops::policy {

// kUnclear: what it does depends on the data; a reviewer should take it for a loosening.
enum class Change { kNeutral, kTightened, kUnclear, kLoosened };
std::string_view to_word(Change change);  // neutral, tightened, unclear, loosened

struct Difference {
  Change change = Change::kNeutral;
  std::string subject;  // "class us_ssn", "column note", "gate auc-floor", "setting residual.max_findings"
  std::string before;   // in words; "none" when there was nothing
  std::string after;
};

// Classes, columns, detectors, gates, settings, terms, in this order; the packs of both count as their own. The texts'
// order, comments and spelling do not.
std::vector<Difference> compare_policies(const Policy& before, const Policy& after);

}  // namespace mlops::policy
