#include "core/model/environment.h"

namespace mlops::model {

std::string Environment::tenant() const {
  const auto found = labels.find(std::string(kTenantLabel));
  return found == labels.end() ? std::string() : found->second;
}

Json to_json(const Environment& environment) {
  Json json = {{"name", environment.name},
               {"description", environment.description},
               {"after", environment.after},
               {"clearance", to_word(environment.clearance)},
               {"region", environment.region},
               {"policies", environment.policies},
               {"approvals_needed", environment.approvals_needed},
               {"approver_roles", environment.approver_roles},
               {"reason_required", environment.reason_required},
               {"owners", environment.owners},
               {"labels", environment.labels}};
  // What is not said is left out, so that environments from before these words keep their digests.
  if (environment.signed_approvals) json["signed_approvals"] = true;
  if (environment.plan_valid_hours != 0) json["plan_valid_hours"] = environment.plan_valid_hours;
  if (environment.review_within_hours != 0) json["review_within_hours"] = environment.review_within_hours;
  if (environment.soak_s != 0) json["soak_s"] = environment.soak_s;
  for (const auto& window : environment.windows) json["windows"].push_back(to_json(window));
  for (const auto& freeze : environment.freezes) json["freezes"].push_back(to_json(freeze));
  if (environment.target.is_set()) json["target"] = to_json(environment.target);
  if (!environment.template_name.empty()) json["template"] = environment.template_name;
  if (!environment.tenants_of.empty()) json["tenants_of"] = environment.tenants_of;
  if (const auto& gitops = environment.gitops) {
    json["gitops"] = {{"repository", gitops->repository}, {"path", gitops->path}, {"renderer", gitops->renderer}};
  }
  return json;
}

Result<Environment> environment_from_json(const Json& json) {
  try {
    Environment out;
    out.name = json.at("name").get<std::string>();
    out.description = json.at("description").get<std::string>();
    out.after = json.at("after").get<std::vector<std::string>>();
    const auto label = sensitivity_from_word(json.at("clearance").get<std::string>());
    if (!label) return fail(ErrorCode::kCorrupt, "bad_environment", "a stored environment has an unknown clearance");
    out.clearance = *label;
    out.region = json.at("region").get<std::string>();
    out.policies = json.at("policies").get<std::vector<std::string>>();
    out.approvals_needed = json.at("approvals_needed").get<std::int64_t>();
    out.approver_roles = json.at("approver_roles").get<std::vector<std::string>>();
    out.reason_required = json.at("reason_required").get<bool>();
    out.owners = json.at("owners").get<std::vector<std::string>>();
    out.labels = json.at("labels").get<std::map<std::string, std::string>>();
    out.signed_approvals = json.value("signed_approvals", false);
    out.plan_valid_hours = json.value("plan_valid_hours", std::int64_t{0});
    out.review_within_hours = json.value("review_within_hours", std::int64_t{0});
    out.soak_s = json.value("soak_s", std::int64_t{0});
    for (const auto& window : json.value("windows", Json::array())) out.windows.push_back(window_from_json(window));
    for (const auto& freeze : json.value("freezes", Json::array())) out.freezes.push_back(freeze_from_json(freeze));
    MLOPS_ASSIGN(out.target, delivery_target_from_json(json));
    out.template_name = json.value("template", std::string());
    out.tenants_of = json.value("tenants_of", std::string());
    if (const auto gitops = json.find("gitops"); gitops != json.end()) {
      out.gitops = GitOps{gitops->at("repository"), gitops->at("path"), gitops->at("renderer")};
    }
    return out;
  } catch (const Json::exception&) {
    return fail(ErrorCode::kCorrupt, "bad_environment", "a stored environment cannot be read");
  }
}

}  // namespace mlops::model
