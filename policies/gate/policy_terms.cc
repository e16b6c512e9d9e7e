#include "policies/gate/policy_terms.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::PromotionFacts;

GateHead head_of(const policy::Policy& policy, std::string_view gate) {
  return {std::string(gate), std::string(gate), "policy " + policy.name()};
}

std::string label_of(const model::Environment& environment, std::string_view name) {
  const auto found = environment.labels.find(std::string(name));
  return found == environment.labels.end() ? std::string{} : found->second;
}

bool speaks_about_any(const policy::Policy& policy, const PromotionFacts& facts) {
  return std::any_of(facts.members.begin(), facts.members.end(),
                     [&](const model::MemberFacts& member) { return policy.selects(member); });
}

GateResult judge_residency(const policy::Policy& policy, const model::Environment& environment) {
  const auto head = head_of(policy, "residency");
  const auto& terms = policy.terms().residency;
  const auto transfer = label_of(environment, kTransferLabel);
  const auto verdict = policy::permits_region(terms, environment.region, transfer);
  Json facts = {{"region", environment.region},
                {"transfer", transfer},
                {"allowed", terms.allowed.value_or(std::vector<std::string>{})}};
  if (verdict.allowed) return pass(head, verdict.reason, std::move(facts));
  return refuse(head, fmt::format("{}: {}", environment.name, verdict.reason),
                "the environment's region is allowed, or a transfer with its id covers it", std::move(facts));
}

GateResult judge_purpose(const policy::Policy& policy, const model::Environment& environment) {
  const auto head = head_of(policy, "purpose");
  const auto use = label_of(environment, kPurposeLabel);
  const auto& declared = policy.terms().purpose.declared;
  Json facts = {{"use", use}, {"declared", declared}};
  if (use.empty()) {
    return refuse(head,
                  fmt::format("evidence missing: environment {} has no label `{}`", environment.name, kPurposeLabel),
                  "the environment says by its label what it is used for", std::move(facts));
  }
  if (policy::permits_use(policy.terms().purpose, use)) {
    return pass(head, fmt::format("{} is a declared purpose", printable(use)), std::move(facts));
  }
  return refuse(head, fmt::format("{} is not among the declared purposes: {}", printable(use), join(declared, ", ")),
                "the data are declared for this purpose too, on a lawful basis", std::move(facts));
}

}  // namespace

void judge_terms(const policy::Policy& policy, const PromotionFacts& facts, std::vector<GateResult>& results) {
  if (!speaks_about_any(policy, facts)) return;
  const auto& terms = policy.terms();
  if (terms.residency.allowed || !terms.residency.transfers.empty()) {
    results.push_back(judge_residency(policy, facts.environment));
  }
  if (!terms.purpose.declared.empty()) results.push_back(judge_purpose(policy, facts.environment));
}

void apply_shadow(const policy::Policy& policy, const PromotionFacts& facts, std::vector<GateResult>& results) {
  for (auto& result : results) {
    if (!policy.terms().enforcement.shadow.holds(result.id, facts.decided_at_us)) continue;
    if (result.facts.is_null()) result.facts = Json::object();
    result.facts["shadow"] = to_word(result.verdict);
    if (result.verdict == model::Verdict::kPass) continue;
    result.reason = fmt::format("shadow: would be {}: {}", to_word(result.verdict), result.reason);
    result.verdict = model::Verdict::kPass;
    result.would_pass_if.clear();
  }
}

void apply_mode(const policy::Policy& policy, std::size_t first, std::vector<GateResult>& results) {
  const auto mode = policy.terms().enforcement.mode;
  if (mode == policy::EnforcementMode::kEnforce) return;
  for (auto i = first; i < results.size(); ++i) {
    auto& result = results[i];
    if (result.verdict == model::Verdict::kPass) continue;
    result.reason = fmt::format("{}: would be {}: {}", to_word(mode), to_word(result.verdict), result.reason);
    result.verdict = model::Verdict::kPass;
    result.would_pass_if.clear();
  }
}

}  // namespace mlops::gate
