// Small makers of GateResults, so that every gate says its verdict the same way. Private to policies/gate.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/model/facts.h"

namespace mlops::gate {

inline constexpr std::string_view kBuiltIn = "built-in";

// What every result of one gate has in common.
struct GateHead {
  std::string id;
  std::string kind;
  std::string rule;
};

inline model::GateResult pass(const GateHead& head, std::string reason, Json facts) {
  return {head.id, head.kind, model::Verdict::kPass, head.rule, std::move(reason), {}, std::move(facts)};
}
inline model::GateResult refuse(const GateHead& head, std::string reason, std::string would_pass_if, Json facts) {
  return {head.id,         head.kind, model::Verdict::kFail, head.rule, std::move(reason), std::move(would_pass_if),
          std::move(facts)};
}
inline model::GateResult wait_for(const GateHead& head, std::string reason, std::string would_pass_if, Json facts) {
  return {head.id,         head.kind, model::Verdict::kPending, head.rule, std::move(reason), std::move(would_pass_if),
          std::move(facts)};
}

// "model readmission@v1".
std::string shown(const model::Version& version);
// "model readmission@v1 ← train: patients@v1 (special_category)".
std::string taint_path(const model::MemberFacts& member);

// Clearance of one member against `most`; used for the environment's own and for a policy's.
model::GateResult judge_clearance(const GateHead& head, const model::MemberFacts& member, model::Sensitivity most,
                                  const std::string& whose, const std::string& environment);
// What approvals must be to count, beside being by people, never by the requester, each person once.
struct ApprovalTerms {
  std::int64_t needed = 0;
  std::vector<std::string> roles;  // one of them; empty: any
  bool are_signed = false;
  bool need_meaning = false;
  std::int64_t max_age_us = 0;  // 0: any age
};
model::GateResult judge_approvals(const GateHead& head, const model::PromotionFacts& facts, const ApprovalTerms& terms);

}  // namespace mlops::gate
