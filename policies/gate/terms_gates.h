// What a policy's terms ask of a release beside its own gates, and how its gates are enforced. Private to policies/gate.
//
// Terms: a policy that is in force, the evidence its packs ask for before a promotion, the region data may be in, how
// long they may be kept. Then exceptions (until they run out) and the mode of enforcement: under `warn` and `dryrun` a
// gate that fails says so and passes. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

// Appends the results of one policy: of its terms, then of its gates.
void judge_policy(const policy::Policy& policy, const model::PromotionFacts& facts,
                  std::vector<model::GateResult>& results);

}  // namespace mlops::gate
