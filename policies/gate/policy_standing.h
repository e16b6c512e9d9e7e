// Whether a policy stands at the moment of a decision: it is in force, the evidence its packs ask for before a
// promotion is declared, the data are not kept longer than it allows; and the exceptions it grants. Private to
// policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

// Appends "in-force", "evidence" and "retention" for what the policy says about them.
void judge_standing(const policy::Policy& policy, const model::PromotionFacts& facts,
                    std::vector<model::GateResult>& results);

// What the policy refuses passes where an exception of it names the gate, covers every member and has not run out.
// `first`: where the policy's results begin.
void apply_exceptions(const policy::Policy& policy, const model::PromotionFacts& facts, std::size_t first,
                      std::vector<model::GateResult>& results);

}  // namespace mlops::gate
