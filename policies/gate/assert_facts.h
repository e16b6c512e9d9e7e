// The facts of a promotion as the names that assertions use (policies/engine/assert_gate.h). Private to policies/gate.
// Thread-safety: pure function; the bindings hold copies.
#pragma once

#include "core/model/facts.h"
#include "policies/cel/program.h"

namespace mlops::gate {

// What is not known is not bound, and asking for it is an error, never a default: metric() of a metric that was not
// recorded gives kRefused "evidence_missing", `now` without a time is undeclared.
cel::Bindings assert_bindings(const model::PromotionFacts& facts, const model::MemberFacts& member);

}  // namespace mlops::gate
