#include "policies/gate/policy_standing.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/terms.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using model::Verdict;

std::string rule_of(const policy::Policy& policy) {
  return fmt::format("policy {} {}", policy.name(), policy.version());
}

void judge_in_force(const policy::Policy& policy, const PromotionFacts& facts, std::vector<GateResult>& results) {
  const auto reasons = policy::not_in_force(policy, facts.decided_at_us);
  if (reasons.empty()) return;
  results.push_back(refuse({"in-force", "in-force", rule_of(policy)}, join(reasons, "; "),
                           "the policy is renewed: what ran out is replaced or taken out", {{"reasons", reasons}}));
}

void judge_evidence(const policy::Policy& policy, std::vector<GateResult>& results) {
  Json missing = Json::array();
  std::vector<std::string> paths;
  std::size_t asked = 0;
  for (const auto& row : policy.terms().requirements) {
    if (!row.before_promotion) continue;
    ++asked;
    if (row.is_met) continue;
    paths.push_back(row.path.value);
    missing.push_back({{"path", row.path.value}, {"cite", row.cite}, {"why", row.why}, {"pack", row.pack}});
  }
  if (asked == 0) return;
  const GateHead head{"evidence", "evidence", rule_of(policy)};
  if (paths.empty()) {
    results.push_back(pass(head, "what its packs ask for before a promotion is declared", {{"asked", asked}}));
    return;
  }
  results.push_back(refuse(head, "evidence missing: " + join(paths, ", "),
                           fmt::format("the policy declares {}", join(paths, " and ")), {{"missing", missing}}));
}

void judge_retention(const policy::Policy& policy, const MemberFacts& member, const PromotionFacts& facts,
                     std::vector<GateResult>& results) {
  const auto& max = policy.terms().retention.max;
  if (!max || member.version.kind != model::ArtifactKind::kDataset) return;
  const auto end_us = policy::add(member.version.created_at_us, *max);
  const GateHead head{"retention", "retention", rule_of(policy)};
  const auto until = format_rfc3339(end_us).substr(0, 10);
  Json looked_at = {{"member", member.version.ref()}, {"max", max->to_string()}, {"until", until}};
  if (member.version.created_at_us == 0 || facts.decided_at_us < end_us) {
    results.push_back(
        pass(head, fmt::format("{} may be kept until {}", shown(member.version), until), std::move(looked_at)));
    return;
  }
  results.push_back(refuse(head, fmt::format("{} could be kept until {}", shown(member.version), until),
                           "a newer version is promoted; this one is due for deletion", std::move(looked_at)));
}

// An exception of the policy for the gate, in force then and covering every member.
const policy::Exception* exception_for(const policy::Policy& policy, const GateResult& result,
                                       const PromotionFacts& facts) {
  for (const auto& one : policy.terms().exceptions) {
    const bool expired = one.expires_us != 0 && one.expires_us <= facts.decided_at_us;
    if (expired || one.gate.value != result.id) continue;
    const bool covers = std::all_of(facts.members.begin(), facts.members.end(), [&](const MemberFacts& member) {
      const auto name = fmt::format("{}:{}", to_word(member.version.kind), member.version.name);
      return policy::scope_covers(one.scope, name, member.version.digest.to_string());
    });
    if (covers) return &one;
  }
  return nullptr;
}

void except(const policy::Policy& policy, const PromotionFacts& facts, GateResult& result) {
  if (result.verdict == Verdict::kPass) return;
  const auto* exception = exception_for(policy, result, facts);
  if (!exception) return;
  result.facts["exception"] = {
      {"id", exception->id.value}, {"approver", exception->approver}, {"expires", exception->expires}};
  result.reason = fmt::format("excepted by {} ({}) until {}: {}", exception->id.value, exception->approver,
                              exception->expires.empty() ? "further notice" : exception->expires, result.reason);
  result.verdict = Verdict::kPass;
  result.would_pass_if.clear();
}

}  // namespace

void judge_standing(const policy::Policy& policy, const PromotionFacts& facts, std::vector<GateResult>& results) {
  const bool selects = std::any_of(facts.members.begin(), facts.members.end(),
                                   [&](const MemberFacts& member) { return policy.selects(member); });
  if (!selects) return;
  judge_in_force(policy, facts, results);
  judge_evidence(policy, results);
  for (const auto& member : facts.members) {
    if (policy.selects(member)) judge_retention(policy, member, facts, results);
  }
}

void apply_exceptions(const policy::Policy& policy, const PromotionFacts& facts, std::size_t first,
                      std::vector<GateResult>& results) {
  for (auto i = first; i < results.size(); ++i) except(policy, facts, results[i]);
}

}  // namespace mlops::gate
