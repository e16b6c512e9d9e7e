#include "core/model/plan.h"

#include "core/crypto/digest.h"

namespace mlops::model {

Json plan_pins(const Plan& plan) {
  Json members = Json::array();
  for (const auto& member : plan.members) {
    members.push_back({{"version", member.version_id}, {"digest", member.digest}});
  }
  Json policies = Json::array();
  for (const auto& policy : plan.policies) policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  Json pins = {{"kind", plan.kind},
               {"environment", plan.environment},
               {"environment_digest", plan.environment_digest},
               {"members", std::move(members)},
               {"policies", std::move(policies)},
               {"running", plan.running_deployment_id},
               {"masking", plan.masking ? Json(plan.masking->policy.digest) : Json(nullptr)},
               {"requested_by", plan.requested_by_id}};
  if (!plan.facts_digest.empty()) pins["facts"] = plan.facts_digest;
  if (!plan.release_id.empty()) pins["release"] = plan.release_id;
  if (plan.is_break_glass) pins["break_glass"] = true;
  if (plan.accepts_rejected) pins["accepts_rejected"] = true;
  if (!plan.overrides.empty()) pins["overrides"] = plan.overrides;
  for (const auto& restored : plan.restores) pins["restores"].push_back(restored.release_id);
  return pins;
}

std::string plan_digest(const Plan& plan) {
  return crypto::sha256(canonical_dump(plan_pins(plan))).to_string();
}

std::string statement_text(const ApprovalStatement& statement) {
  return canonical_dump({{"type", "mlops.approval.v1"},
                         {"plan", statement.plan_id},
                         {"digest", statement.plan_digest},
                         {"kind", statement.kind},
                         {"environment", statement.environment},
                         {"members", statement.members},
                         {"expires_at", statement.expires_at},
                         {"decision", statement.decision},
                         {"meaning", statement.meaning},
                         {"reason", statement.reason},
                         {"by", statement.by}});
}

std::string key_statement(const std::string& principal, const std::string& key_id) {
  return canonical_dump({{"type", "mlops.key.v1"}, {"principal", principal}, {"key", key_id}});
}

}  // namespace mlops::model
