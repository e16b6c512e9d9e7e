// What holds a change up beside its content: a break-glass promotion nobody has reviewed, a release the environment was
// rolled back from, another release that would be torn apart; and what may pass over a gate. Private to policies/gate.
//
// Procedure can be passed over in an emergency (who approved, in what order, when), law and safety cannot: clearance,
// erasure, integrity, residency, purpose, tenants stand for everybody. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"

namespace mlops::gate {

// Appends "review", "rejected" and "overlap", each only when there is something to say.
void judge_change_control(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);

// Break-glass passes over procedure; a rollback over the gates it names. Both are said in the result.
void apply_overrides(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);

}  // namespace mlops::gate
