// The gates of change windows and freezes. What the time zones said is among the facts; here moments are compared only.
// A rollback is held up by neither: going back in an incident must not wait. Private to policies/gate.
// Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"

namespace mlops::gate {

// Append nothing where the environment declares none, so that decisions from before keep their bytes.
void judge_window(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);
void judge_freeze(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);

}  // namespace mlops::gate
