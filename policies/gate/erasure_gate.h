// The gate of erasures: what was made with a person's records, or keeps them for a hold, is not promoted before that
// is settled. Private to policies/gate.
#pragma once

#include "core/model/facts.h"

namespace mlops::gate {

model::GateResult judge_erasure(const model::MemberFacts& member, const model::PromotionFacts& facts);

}  // namespace mlops::gate
