#include "daemon/app/gate_endpoints.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "core/base/env.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/net/url.h"

namespace mlops::app {
namespace {

constexpr std::size_t kLongestCredential = 4096;
constexpr std::string_view kFile = "file:";
constexpr std::string_view kVariable = "env:";
constexpr std::string_view kCredential = "credential:";

Failure missing(const std::string& name) {
  return fail(ErrorCode::kNotFound, "credential_missing",
              fmt::format("the credential of the gate {} is not there", name),
              "file:PATH, env:NAME or credential:NAME");
}

Result<std::string> read_credential_file(const std::string& file, const std::string& gate) {
  const auto text = read_file(file, kLongestCredential);
  if (!text) return missing(gate);
  return std::string(trim(*text));
}

Result<std::string> credential_of(const Config::GateEndpoint& endpoint) {
  const auto& place = endpoint.credential;
  if (place.empty()) return std::string();
  if (place.starts_with(kFile)) return read_credential_file(place.substr(kFile.size()), endpoint.name);
  if (place.starts_with(kVariable)) {
    const auto name = place.substr(kVariable.size());
    const char* value = std::getenv(name.c_str());
    if (!value || *value == '\0') return missing(endpoint.name);
    std::string token = value;
    ::unsetenv(name.c_str());
    return token;
  }
  if (place.starts_with(kCredential)) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    const auto name = place.substr(kCredential.size());
    if (!directory || name.find('/') != std::string::npos) return missing(endpoint.name);
    return read_credential_file(std::string(directory) + "/" + name, endpoint.name);
  }
  return missing(endpoint.name);
}

}  // namespace

Result<std::vector<Config::GateEndpoint>> read_gate_endpoints(const YamlNode& node, const std::string& origin) {
  std::vector<Config::GateEndpoint> endpoints;
  const auto bad = [&](const YamlNode& at, const std::string& message) {
    return fail(
        yaml_error(origin, at.mark, "bad_setting", message, "{name: opa, url: https://opa.example/v1/data/mlops}"));
  };
  if (node.is_null()) return endpoints;
  if (!node.is_sequence()) return bad(node, "gates.external is a list");
  std::set<std::string> names;
  for (const auto& item : node.items) {
    if (!item.is_map()) return bad(item, "every endpoint of gates.external is a map");
    MLOPS_TRY(yaml_only_known_keys(item, origin, {"name", "url", "credential", "ca_file"}));
    Config::GateEndpoint endpoint;
    const std::pair<const char*, std::string*> fields[] = {{"name", &endpoint.name},
                                                           {"url", &endpoint.url},
                                                           {"credential", &endpoint.credential},
                                                           {"ca_file", &endpoint.ca_file}};
    for (const auto& [key, field] : fields) {
      if (const auto* value = item.find(key)) {
        MLOPS_ASSIGN(*field, yaml_string(*value, origin, fmt::format("gates.external.{}", key)));
      }
    }
    if (!model::check_key(endpoint.name, "endpoint"))
      return bad(item, "an endpoint needs a name of letters and digits");
    if (!names.insert(endpoint.name).second)
      return bad(item, fmt::format("two endpoints are called {}", endpoint.name));
    if (!net::parse_url(endpoint.url)) return bad(item, "an endpoint needs a url, http or https");
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

Json gate_endpoints_json(const std::vector<Config::GateEndpoint>& endpoints) {
  Json list = Json::array();
  for (const auto& one : endpoints) {
    Json item = {{"name", one.name}, {"url", one.url}};
    if (!one.credential.empty()) item["credential"] = one.credential;
    if (!one.ca_file.empty()) item["ca_file"] = one.ca_file;
    list.push_back(std::move(item));
  }
  return list;
}

Result<domain::ExternalGates> open_external_gates(const Config& config) {
  std::vector<domain::ExternalEndpoint> endpoints;
  for (const auto& one : config.gates.external) {
    domain::ExternalEndpoint endpoint{one.name, one.url, {}, one.ca_file};
    MLOPS_ASSIGN(endpoint.token, credential_of(one));
    endpoints.push_back(std::move(endpoint));
  }
  return domain::ExternalGates(std::move(endpoints));
}

}  // namespace mlops::app
