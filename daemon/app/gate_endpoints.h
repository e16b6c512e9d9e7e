// Servers that external gates ask: the list of the configuration, read, shown and opened.
//
//   gates:
//     external:
//       - {name: opa-prod, url: https://opa.example/v1/data/mlops/allow, credential: credential:opa, ca_file: /etc/…}
// Errors: kInvalid "bad_setting", kNotFound "credential_missing". Thread-safety: free functions; opening takes
// variables out of the environment and belongs to start-up.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/yaml.h"
#include "daemon/app/config.h"
#include "daemon/domain/external_gates.h"

namespace mlops::app {

Result<std::vector<Config::GateEndpoint>> read_gate_endpoints(const YamlNode& node, const std::string& origin);
Json gate_endpoints_json(const std::vector<Config::GateEndpoint>& endpoints);

// With their credentials.
Result<domain::ExternalGates> open_external_gates(const Config& config);

}  // namespace mlops::app
