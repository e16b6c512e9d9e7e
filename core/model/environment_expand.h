// Templates and tenants of a file of environments, expanded before any field is read.
//
//   templates:                        # named partial environments; a template may name another one
//     prod: {clearance: none, protection: {approvals: 1}, windows: […]}
//   environments:
//     - name: prod
//       template: prod
//       after: ["staging/{tenant}"]
//       tenants: {acme: {region: eu-west}, globex: {}}      # or [acme, globex]
// gives prod/acme and prod/globex with the label tenant. What stands nearer to the environment wins: the tenant's own
// fields over the environment's over the template's; a scalar and a list replace, maps merge, and an empty value takes
// away what was inherited. "{tenant}" in any value is the tenant's name. Every value keeps the place it was read from,
// so that errors name it. Private to core/model. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/yaml.h"

namespace mlops::model {

// The words an environment may carry.
const std::vector<std::string_view>& environment_keys();

struct ExpandedEnvironment {
  YamlNode node;  // a map without `template` and `tenants`
  YamlMark at;    // where the environment, or its tenant, was declared
  std::string template_name;
  std::string tenants_of;
  std::string tenant;
};

// REQUIRES: `root` is a map whose `environments` is a list. Errors: kInvalid with origin:line:column.
Result<std::vector<ExpandedEnvironment>> expand_environments(const YamlNode& root, const std::string& origin);

}  // namespace mlops::model
