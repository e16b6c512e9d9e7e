#include "policies/gate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/base/text.h"
#include "policies/gate/change_control.h"
#include "policies/gate/change_window.h"
#include "policies/gate/erasure_gate.h"
#include "policies/gate/evidence_gates.h"
#include "policies/gate/policy_gates.h"
#include "policies/gate/policy_standing.h"
#include "policies/gate/policy_terms.h"
#include "policies/gate/soak_gate.h"
#include "policies/gate/tenant_gate.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using model::Verdict;

GateResult judge_integrity(const MemberFacts& member, const PromotionFacts&) {
  const GateHead head{"integrity", "integrity", std::string(kBuiltIn)};
  const auto missing = member.missing_blobs.size();
  Json facts = {{"member", member.version.ref()},
                {"digest", member.version.digest.to_string()},
                {"files", member.version.file_count},
                {"missing", missing}};
  if (missing == 0)
    return pass(head, fmt::format("every file of {} is in the store", shown(member.version)), std::move(facts));
  return refuse(head,
                fmt::format("{} lacks the bytes of {} file{}", shown(member.version), missing, missing == 1 ? "" : "s"),
                "the missing files are uploaded again: register the same directory once more", std::move(facts));
}

GateResult judge_lifecycle(const MemberFacts& member, const PromotionFacts&) {
  const GateHead head{"lifecycle", "lifecycle", std::string(kBuiltIn)};
  const auto& version = member.version;
  Json facts = {{"member", version.ref()},
                {"deprecated", !version.deprecated_reason.empty()},
                {"deleted", version.deleted_at_us != 0}};
  if (version.deleted_at_us != 0) {
    return refuse(head, shown(version) + " was deleted", "another version is promoted", std::move(facts));
  }
  if (!version.deprecated_reason.empty()) {
    return refuse(head, fmt::format("{} is deprecated: {}", shown(version), printable(version.deprecated_reason)),
                  "its deprecation is lifted, or another version is promoted", std::move(facts));
  }
  return pass(head, shown(version) + " is neither deprecated nor deleted", std::move(facts));
}

GateResult judge_order(const MemberFacts& member, const PromotionFacts& facts) {
  const auto& environment = facts.environment;
  const GateHead head{"order", "order", "environment " + environment.name};
  Json looked_at = {{"member", member.version.ref()}, {"after", environment.after}, {"ran_in", member.ran_in}};
  if (facts.is_rollback) {
    return pass(head, fmt::format("a rollback: {} ran in {} before", shown(member.version), environment.name),
                std::move(looked_at));
  }
  if (environment.after.empty()) return pass(head, environment.name + " is an entry point", std::move(looked_at));
  for (const auto& before : environment.after) {
    if (std::find(member.ran_in.begin(), member.ran_in.end(), before) == member.ran_in.end()) continue;
    return pass(head, fmt::format("{} ran in {}", shown(member.version), before), std::move(looked_at));
  }
  const auto names = join(environment.after, " or ");
  return refuse(head,
                fmt::format("{} comes after {}, where {} never ran", environment.name, names, shown(member.version)),
                fmt::format("{} is promoted to {} first", member.version.ref(), names), std::move(looked_at));
}

GateResult judge_environment_clearance(const MemberFacts& member, const PromotionFacts& facts) {
  const auto& environment = facts.environment;
  const GateHead head{"clearance", "clearance", "environment " + environment.name};
  return judge_clearance(head, member, environment.clearance, environment.name, environment.name);
}

GateResult judge_reason(const PromotionFacts& facts) {
  const GateHead head{"reason", "reason", "environment " + facts.environment.name};
  const bool given = !trim(facts.reason).empty();
  Json looked_at = {{"required", facts.environment.reason_required}, {"given", given}};
  if (given) return pass(head, "a reason is given", std::move(looked_at));
  if (!facts.environment.reason_required) return pass(head, "no reason is needed", std::move(looked_at));
  return refuse(head, facts.environment.name + " needs a reason", "a reason is given: --reason TEXT",
                std::move(looked_at));
}

using MemberGate = GateResult (*)(const MemberFacts&, const PromotionFacts&);
constexpr MemberGate kMemberGates[] = {judge_integrity, judge_lifecycle, judge_order, judge_environment_clearance,
                                       judge_erasure};

// A release without members has no evidence at all.
GateResult judge_empty() {
  return refuse({"integrity", "integrity", std::string(kBuiltIn)}, "evidence missing: the release has no members",
                "a version is named", {{"members", 0}});
}

std::vector<GateResult> one_policy(const policy::Policy& policy, const PromotionFacts& facts) {
  std::vector<GateResult> results;
  evaluate_policy(policy, facts, results);
  judge_terms(policy, facts, results);
  judge_standing(policy, facts, results);
  apply_exceptions(policy, facts, 0, results);
  apply_shadow(policy, facts, results);
  apply_mode(policy, 0, results);
  return results;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What several releases have in common, and one of them.
std::vector<PromotionFacts> split(const PromotionFacts& facts) {
  std::vector<PromotionFacts> parts;
  std::size_t begin = 0;
  for (const auto& part : facts.parts) {
    const auto end = std::min(begin + part.members, facts.members.size());
    auto& own = parts.emplace_back(facts);
    own.members.assign(facts.members.begin() + static_cast<std::ptrdiff_t>(begin),
                       facts.members.begin() + static_cast<std::ptrdiff_t>(end));
    own.parts = {part};
    begin = end;
  }
  return parts;
}

// What is the same of all of them is told once.
void add_new(std::vector<GateResult> more, std::vector<GateResult>& results) {
  for (auto& one : more) {
    const auto told = model::to_json(one);
    const bool is_known = std::any_of(results.begin(), results.end(),
                                      [&](const GateResult& known) { return model::to_json(known) == told; });
    if (!is_known) results.push_back(std::move(one));
  }
}

std::vector<GateResult> evaluate_whole(const std::vector<policy::Policy>& policies, const PromotionFacts& facts) {
  std::vector<GateResult> results;
  if (facts.members.empty()) results.push_back(judge_empty());
  for (const auto gate : kMemberGates) {
    for (const auto& member : facts.members) results.push_back(gate(member, facts));
  }
  judge_soak(facts, results);
  judge_tenant(facts, results);
  judge_window(facts, results);
  judge_freeze(facts, results);
  const GateHead approvals{"approvals", "approvals", "environment " + facts.environment.name};
  ApprovalTerms terms;
  terms.needed = facts.environment.approvals_needed;
  terms.roles = facts.environment.approver_roles;
  terms.are_signed = facts.environment.signed_approvals;
  terms.need_meaning = facts.environment.signed_approvals;
  results.push_back(judge_approvals(approvals, facts, terms));
  results.push_back(judge_reason(facts));
  judge_compat(facts, results);
  judge_change_control(facts, results);
  for (const auto& policy : policies) {
    auto own = one_policy(policy, facts);
    results.insert(results.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  }
  apply_overrides(facts, results);
  return results;
}

}  // namespace

bool speaks_for(const std::string& policy, const PromotionFacts& facts, std::size_t member) {
  const auto brings = [&](const model::ReleasePart& part) { return contains(part.policies, policy); };
  if (contains(facts.environment.policies, policy)) return true;
  if (std::none_of(facts.parts.begin(), facts.parts.end(), brings)) return true;  // tried out, or of the only release
  std::size_t end = 0;
  for (const auto& part : facts.parts) {
    end += part.members;
    if (member < end) return brings(part);
  }
  return false;
}

std::vector<GateResult> evaluate(const std::vector<policy::Policy>& policies, const PromotionFacts& facts) {
  if (facts.parts.size() < 2) return evaluate_whole(policies, facts);
  std::vector<GateResult> results;
  std::size_t first = 0;
  for (const auto& part : split(facts)) {
    std::vector<policy::Policy> own;
    std::copy_if(policies.begin(), policies.end(), std::back_inserter(own),
                 [&](const policy::Policy& policy) { return speaks_for(policy.name(), facts, first); });
    add_new(evaluate_whole(own, part), results);
    first += part.members.size();
  }
  return results;
}

std::vector<GateResult> evaluate_one(const policy::Policy& policy, const PromotionFacts& facts) {
  if (facts.parts.size() < 2) return one_policy(policy, facts);
  std::vector<GateResult> results;
  std::size_t first = 0;
  for (const auto& part : split(facts)) {
    if (speaks_for(policy.name(), facts, first)) add_new(one_policy(policy, part), results);
    first += part.members.size();
  }
  return results;
}

Verdict overall(const std::vector<GateResult>& results) {
  if (results.empty()) return Verdict::kFail;  // nothing was looked at
  auto verdict = Verdict::kPass;
  for (const auto& result : results) verdict = std::max(verdict, result.verdict);
  return verdict;
}

std::int64_t approvals_needed(const std::vector<policy::Policy>& policies, const PromotionFacts& facts) {
  std::int64_t needed = std::max<std::int64_t>(0, facts.environment.approvals_needed);
  for (const auto& policy : policies) {
    if (policy.terms().enforcement.mode != policy::EnforcementMode::kEnforce) continue;
    for (const auto& rule : policy::gate_rules(policy)) {
      const auto* approvals = std::get_if<policy::ApprovalsGate>(&rule.body);
      if (!approvals || policy.terms().enforcement.shadow.holds(rule.id, facts.decided_at_us)) continue;
      const bool applies = std::any_of(facts.members.begin(), facts.members.end(), [&](const MemberFacts& member) {
        const auto at = static_cast<std::size_t>(&member - facts.members.data());
        return speaks_for(policy.name(), facts, at) && policy::applies_to(policy, rule, member);
      });
      if (applies) needed = std::max(needed, approvals->count);
    }
  }
  return needed;
}

}  // namespace mlops::gate
