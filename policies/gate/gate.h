// Gates: pure functions from facts to verdicts. Every promotion and rollback passes through evaluate(), nothing else
// decides. Deny overrides; missing evidence is a failure, never a pass.
//
// Built in, for every environment: integrity, lifecycle (deprecated or deleted), order, clearance, erasure, approvals,
// reason; where there is something to say: soak, tenant, window, freeze, review (of a break-glass promotion), rejected
// (rolled back from), overlap (with another running release). Break-glass passes over procedure, a rollback over the
// gates it names; both are told. From the environment's policies: the gates they declare, for the kinds they select;
// their terms of residency (the environment's region and its label `transfer`), of purpose (its label `purpose`), in
// force, evidence, retention; what an exception of the policy lets through. What a policy refuses under
// enforcement.mode warn or dryrun, or by a gate in shadow, passes and is told. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

// One result per gate and member where members matter; ordered: built-in first, then policies in the given order.
std::vector<model::GateResult> evaluate(const std::vector<policy::Policy>& policies,
                                        const model::PromotionFacts& facts);

// Of several releases that come back together each is judged by itself: with its members, and with the policies of the
// environment and its own. Does the policy of this name speak for the member (by index)?
bool speaks_for(const std::string& policy, const model::PromotionFacts& facts, std::size_t member);

// The results of this policy alone.
std::vector<model::GateResult> evaluate_one(const policy::Policy& policy, const model::PromotionFacts& facts);

// kFail if any fails, else kPending if any is pending, else kPass.
model::Verdict overall(const std::vector<model::GateResult>& results);

// Approvals needed in sum (the larger of the environment's protection and any policy's gate).
std::int64_t approvals_needed(const std::vector<policy::Policy>& policies, const model::PromotionFacts& facts);

}  // namespace mlops::gate
