// The gates a policy declares, by kind of body. Private to policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/gate_rule.h"

namespace mlops::gate {

// Appends one result per member the gate speaks about (one in all for approvals); nothing when it speaks about none.
void evaluate_policy(const policy::Policy& policy, const model::PromotionFacts& facts,
                     std::vector<model::GateResult>& results);

}  // namespace mlops::gate
