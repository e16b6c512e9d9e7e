// The gate of soak time: how long the release has run in an environment before this one, without a gap and still.
// Private to policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"

namespace mlops::gate {

// One result a member; nothing where the environment asks for no soak time.
void judge_soak(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);

}  // namespace mlops::gate
