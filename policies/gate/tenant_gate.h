// The gate of tenants: what is one tenant's, by label or by what it was made from, never enters another's environment.
// Private to policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"

namespace mlops::gate {

// One result for each member that is somebody's; nothing for the others. A rollback is judged as well.
void judge_tenant(const model::PromotionFacts& facts, std::vector<model::GateResult>& results);

}  // namespace mlops::gate
