// What a policy's terms ask of a promotion: the region and the use of the environment, and how strictly its gates bind.
// Private to policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

// Labels of an environment that terms look at: what it is used for, and the id of the transfer it rests on.
inline constexpr std::string_view kPurposeLabel = "purpose";
inline constexpr std::string_view kTransferLabel = "transfer";

// Appends "residency" (GDPR 44–49) and "purpose" (GDPR 5(1)(b)) for members the policy selects, when it has such terms.
// An environment without a region, or without a purpose, is missing evidence and fails.
void judge_terms(const policy::Policy& policy, const model::PromotionFacts& facts,
                 std::vector<model::GateResult>& results);

// What a gate in shadow refuses passes; its reason and its facts say what it would have been.
void apply_shadow(const policy::Policy& policy, const model::PromotionFacts& facts,
                  std::vector<model::GateResult>& results);

// Under enforcement.mode warn or dryrun what the policy refuses passes, and its reason says what it would have been.
// `first`: where the policy's results begin.
void apply_mode(const policy::Policy& policy, std::size_t first, std::vector<model::GateResult>& results);

}  // namespace mlops::gate
