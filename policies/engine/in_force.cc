// Whether a policy may be used at a moment: the clock is the caller's, so that a replay gives what the first run gave.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/engine/body.h"

namespace mlops::policy {

std::vector<std::string> not_in_force(const Policy& policy, TimestampUs at) {
  const auto& terms = policy.terms();
  std::vector<std::string> reasons;
  for (const auto& one : terms.effective) {
    if (one.is_pack || one.from_us <= at) continue;
    reasons.push_back(fmt::format("{} is in force from {} on", one.origin, format_rfc3339(one.from_us).substr(0, 10)));
  }
  const auto expired = [&](TimestampUs expires_us) { return expires_us != 0 && expires_us <= at; };
  for (const auto& row : terms.exceptions) {
    if (expired(row.expires_us)) {
      reasons.push_back(fmt::format("exception '{}' ran out on {}", printable(row.id.value), printable(row.expires)));
    }
  }
  for (const auto* list : {&terms.attestations, &terms.evidence}) {
    for (const auto& row : *list) {
      if (!expired(row.expires_us)) continue;
      reasons.push_back(fmt::format("'{}' ran out on {}", printable(row.name.value), printable(row.expires)));
    }
  }
  if (terms.expert && expired(terms.expert->expires_us)) {
    reasons.push_back(fmt::format("the expert determination ran out on {}", printable(terms.expert->expires)));
  }
  return reasons;
}

Status check_in_force(const Policy& policy, TimestampUs at) {
  const auto reasons = not_in_force(policy, at);
  if (reasons.empty()) return {};
  return fail(ErrorCode::kRefused, "policy_not_in_force",
              fmt::format("policy {} cannot be used now: {}", policy.name(), join(reasons, "; ")),
              "`mlopsctl policy lint --at DATE` shows what runs out", canonical_dump({{"reasons", reasons}}));
}

}  // namespace mlops::policy
