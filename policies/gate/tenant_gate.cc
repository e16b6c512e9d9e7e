#include "policies/gate/tenant_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;
using model::TenantFact;

GateResult judge_member(const MemberFacts& member, const model::Environment& environment) {
  const GateHead head{"tenant", "tenant", std::string(kBuiltIn)};
  const auto owner = environment.tenant();
  Json whose = Json::array();
  for (const auto& one : member.tenants) whose.push_back({{"version", one.ref}, {"tenant", one.tenant}});
  Json seen = {{"member", member.version.ref()}, {"environment_tenant", owner}, {"tenants", std::move(whose)}};
  if (owner.empty()) {
    return pass(head, fmt::format("{} is no tenant's environment", environment.name), std::move(seen));
  }
  const auto foreign = std::find_if(member.tenants.begin(), member.tenants.end(),
                                    [&](const TenantFact& one) { return one.tenant != owner; });
  if (foreign == member.tenants.end()) {
    return pass(head, fmt::format("{} is {}'s, as {} is", shown(member.version), owner, environment.name),
                std::move(seen));
  }
  const bool own = foreign->ref == member.version.typed_ref();
  const auto source = own ? std::string() : fmt::format("was made from {}, which ", foreign->ref);
  return refuse(head,
                fmt::format("{} {}is {}'s, and {} is {}'s", shown(member.version), source, printable(foreign->tenant),
                            environment.name, owner),
                fmt::format("a version of {}, made from nothing of another tenant, is promoted", owner),
                std::move(seen));
}

}  // namespace

void judge_tenant(const model::PromotionFacts& facts, std::vector<GateResult>& results) {
  for (const auto& member : facts.members) {
    if (!member.tenants.empty()) results.push_back(judge_member(member, facts.environment));
  }
}

}  // namespace mlops::gate
