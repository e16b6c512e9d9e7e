#include "core/model/plan.h"

#include "core/crypto/digest.h"

namespace mlops::model {

std::string plan_digest(const Plan& plan) {
  Json members = Json::array();
  for (const auto& member : plan.members) {
    members.push_back({{"version", member.version_id}, {"digest", member.digest}});
  }
  Json policies = Json::array();
  for (const auto& policy : plan.policies) policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  const Json pins = {{"kind", plan.kind},
                     {"environment", plan.environment},
                     {"environment_digest", plan.environment_digest},
                     {"members", std::move(members)},
                     {"policies", std::move(policies)},
                     {"running", plan.running_deployment_id},
                     {"masking", plan.masking ? Json(plan.masking->policy.digest) : Json(nullptr)},
                     {"requested_by", plan.requested_by_id}};
  return crypto::sha256(canonical_dump(pins)).to_string();
}

}  // namespace mlops::model
