// What stands in shadow: something that exists, something of the policy's own, and something that ends one day.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/names.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

void check_policy_name(const Draft& draft, const Marked<std::string>& policy, Findings& findings) {
  const auto named = parse_policy_name(policy.value);
  const bool has_version = policy.value.find('@') != std::string::npos;
  if (!model::check_artifact_name(named.name) || (has_version && named.version.empty())) {
    findings.error(policy.mark, "bad_shadow",
                   fmt::format("'{}' names no policy: a shadow is NAME or NAME@VERSION", printable(policy.value)),
                   "shadow: clinical-prod@3.3.0-rc1");
    return;
  }
  const bool is_itself = named.name == draft.own.name && (named.version.empty() || named.version == draft.own.version);
  if (!is_itself) return;
  findings.error(policy.mark, "bad_shadow", "the policy would be evaluated beside itself: nothing could differ",
                 "name another version, given to the server with `mlopsctl policy apply FILE --candidate`");
}

// A pack's gate binds: taking it out needs an exception, which has an approver and an end.
void check_gate(const Draft& draft, const Marked<std::string>& gate, Findings& findings) {
  std::vector<std::string> own;
  for (const auto& rule : draft.own.gates) own.push_back(rule.id);
  if (std::find(own.begin(), own.end(), gate.value) != own.end()) return;
  for (const auto& pack : draft.packs) {
    const auto is_it = [&](const GateRule& rule) { return rule.id == gate.value; };
    if (std::none_of(pack.gates.begin(), pack.gates.end(), is_it)) continue;
    findings.error(
        gate.mark, "shadow_of_pack",
        fmt::format("gate '{}' is of {}: a policy cannot take it out of force", printable(gate.value), pack.origin),
        "an exception lets one gate stand until its day");
    return;
  }
  findings.error(gate.mark, "unknown_gate",
                 fmt::format("there is no gate '{}' to hold in shadow", printable(gate.value)),
                 suggestion(gate.value, own));
}

std::string meaning_of(const Shadow& shadow) {
  std::vector<std::string> gates;
  for (const auto& gate : shadow.gates) gates.push_back(printable(gate.value));
  std::vector<std::string> parts;
  if (!shadow.policy.value.empty()) {
    parts.push_back(fmt::format("{} is evaluated beside this policy, and masking is tried with it",
                                printable(shadow.policy.value)));
  }
  if (!gates.empty()) parts.push_back(fmt::format("what gate {} would refuse passes", join(gates, ", ")));
  return "in shadow: " + join(parts, "; ") + "; verdicts are recorded, nothing is decided by them";
}

}  // namespace

void check_shadow(const Draft& draft, Findings& findings) {
  const auto& shadow = draft.own.shadow;
  if (!draft.own.shadow_mark) return;
  const auto mark = *draft.own.shadow_mark;
  if (!shadow.is_set()) {
    findings.error(mark, "bad_shadow", "shadow names neither a policy nor a gate",
                   "shadow: {policy: clinical-prod@3.3.0-rc1, until: 2027-01-31}");
    return;
  }
  if (!shadow.policy.value.empty()) check_policy_name(draft, shadow.policy, findings);
  for (const auto& gate : shadow.gates) check_gate(draft, gate, findings);
  if (shadow.until_us == 0) {
    findings.warning(mark, "shadow_without_end", meaning_of(shadow) + ", and no day is set when that ends",
                     "until: 2027-01-31");
    return;
  }
  findings.warning(mark, "in_shadow", fmt::format("{}, until {}", meaning_of(shadow), printable(shadow.until)));
}

}  // namespace mlops::policy
