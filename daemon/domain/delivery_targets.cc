#include "daemon/domain/delivery_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage/meta/deliveries.h"

namespace mlops::domain {
namespace {

bool any_target(const std::vector<model::Environment>& environments) {
  return std::any_of(environments.begin(), environments.end(),
                     [](const auto& environment) { return environment.target.is_set(); });
}

}  // namespace

Status check_delivery_targets(const std::vector<model::Environment>& wanted, const std::string& origin,
                              const std::function<Status(const model::DeliveryTarget&)>& check) {
  for (const auto& environment : wanted) {
    if (!environment.target.is_set()) continue;
    const auto checked = check ? check(environment.target)
                               : Status(fail(ErrorCode::kInvalid, "root_unknown", "mlopsd delivers to no directory",
                                             "set delivery.roots in mlopsd's configuration"));
    if (checked) continue;
    return fail(yaml_error(origin, environment.target.mark, "environment_invalid",
                           fmt::format("environment {}: {}", environment.name, checked.error().message),
                           checked.error().hint));
  }
  return {};
}

Status check_delivery_overlaps(sql::Connection& connection, const std::vector<model::Environment>& wanted,
                               const std::string& origin) {
  if (!any_target(wanted)) return {};
  std::map<std::string, model::DeliveryTarget> all;
  MLOPS_ASSIGN(const auto declared, meta::targeted_environments(connection));
  for (const auto& one : declared) {
    MLOPS_ASSIGN(const auto json, parse_json(one.body));
    MLOPS_ASSIGN(all[one.name], model::delivery_target_from_json(json));
  }
  for (const auto& environment : wanted) all[environment.name] = environment.target;
  for (const auto& environment : wanted) {
    for (const auto& [name, target] : all) {
      if (name == environment.name || !target.overlaps(environment.target)) continue;
      return fail(yaml_error(origin, environment.target.mark, "environment_invalid",
                             fmt::format("environments {} and {} would deliver to the same directory: {} and {}",
                                         environment.name, name, environment.target.text(), target.text()),
                             "give each a `path` of its own, none inside another's"));
    }
  }
  return {};
}

}  // namespace mlops::domain
