#include "core/model/environment.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "core/base/yaml.h"
#include "core/model/names.h"
#include "core/model/principal.h"

namespace mlops::model {
namespace {

constexpr std::string_view kApiVersion = "mlops/v1";

// Reads one environment from its YAML map; every error knows its line and column.
class EnvironmentReader {
 public:
  explicit EnvironmentReader(const std::string& origin) : origin_(origin) {}

  Result<Environment> read(const YamlNode& node) const {
    if (!node.is_map()) return at(node, "an environment is a map with at least `name` and `clearance`");
    MLOPS_TRY(yaml_only_known_keys(node, origin_,
                                   {"name", "description", "after", "clearance", "region", "policies", "protection",
                                    "owners", "labels", "gitops"}));
    Environment out;
    MLOPS_TRY(read_name(node, out));
    MLOPS_TRY(read_text(node, "description", out.description));
    MLOPS_TRY(read_text(node, "region", out.region));
    MLOPS_TRY(read_list(node, "after", out.after, check_environment_name));
    MLOPS_TRY(read_list(node, "policies", out.policies, check_artifact_name));
    MLOPS_TRY(read_list(node, "owners", out.owners, check_principal_name));
    MLOPS_TRY(read_clearance(node, out));
    MLOPS_TRY(read_protection(node, out));
    MLOPS_TRY(read_labels(node, out));
    MLOPS_TRY(read_gitops(node, out));
    for (const auto& before : out.after) {
      if (before == out.name) return at(*node.find("after"), "an environment cannot come after itself");
    }
    return out;
  }

 private:
  Failure at(const YamlNode& node, const std::string& message, std::string hint = {}) const {
    return fail(yaml_error(origin_, node.mark, "environment_invalid", message, std::move(hint)));
  }

  Status checked(const YamlNode& node, const Status& status) const {
    if (!status) return at(node, status.error().message, status.error().hint);
    return {};
  }

  Status read_name(const YamlNode& node, Environment& out) const {
    const auto* name = node.find("name");
    if (!name) return at(node, "`name` is missing");
    MLOPS_ASSIGN(out.name, yaml_string(*name, origin_, "name"));
    return checked(*name, check_environment_name(out.name));
  }

  Status read_text(const YamlNode& node, std::string_view key, std::string& out) const {
    const auto* value = node.find(key);
    if (!value) return {};
    MLOPS_ASSIGN(out, yaml_string(*value, origin_, key));
    return checked(*value, check_free_text(out, key));
  }

  Status read_list(const YamlNode& node, std::string_view key, std::vector<std::string>& out,
                   Status (*check)(std::string_view)) const {
    const auto* value = node.find(key);
    if (!value) return {};
    MLOPS_ASSIGN(out, yaml_strings(*value, origin_, key));
    std::set<std::string> seen;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto& item = value->is_sequence() ? value->items[i] : *value;
      MLOPS_TRY(checked(item, check(out[i])));
      if (!seen.insert(out[i]).second) return at(item, fmt::format("\"{}\" stands twice in `{}`", out[i], key));
    }
    return {};
  }

  Status read_clearance(const YamlNode& node, Environment& out) const {
    const auto* value = node.find("clearance");
    if (!value) {
      return at(node, "`clearance` is missing", "name the highest sensitivity this environment may hold, e.g. none");
    }
    MLOPS_ASSIGN(const auto word, yaml_string(*value, origin_, "clearance"));
    const auto label = sensitivity_from_word(word);
    if (!label) {
      return at(*value, fmt::format("\"{}\" is not a sensitivity label", word),
                "use none, pseudonymous, personal, special_category or child");
    }
    out.clearance = *label;
    return {};
  }

  Status read_protection(const YamlNode& node, Environment& out) const {
    const auto* value = node.find("protection");
    if (!value || value->is_null()) return {};
    if (!value->is_map()) return at(*value, "`protection` is a map");
    MLOPS_TRY(yaml_only_known_keys(*value, origin_, {"approvals", "approver_roles", "reason_required"}));
    if (const auto* count = value->find("approvals")) {
      MLOPS_ASSIGN(out.approvals_needed, yaml_int(*count, origin_, "approvals", 0, 20));
    }
    if (const auto* required = value->find("reason_required")) {
      MLOPS_ASSIGN(out.reason_required, yaml_bool(*required, origin_, "reason_required"));
    }
    if (const auto* roles = value->find("approver_roles")) {
      MLOPS_ASSIGN(out.approver_roles, yaml_strings(*roles, origin_, "approver_roles"));
      for (const auto& role : out.approver_roles) {
        if (!role_from_word(role)) return at(*roles, fmt::format("\"{}\" is not a role", role));
      }
    }
    return {};
  }

  Status read_labels(const YamlNode& node, Environment& out) const {
    const auto* value = node.find("labels");
    if (!value || value->is_null()) return {};
    if (!value->is_map()) return at(*value, "`labels` is a map of words");
    for (const auto& [key, text] : value->entries) {
      MLOPS_TRY(checked(key, check_key(key.scalar, "label")));
      MLOPS_ASSIGN(out.labels[key.scalar], yaml_string(text, origin_, "a label"));
    }
    return {};
  }

  Status read_gitops(const YamlNode& node, Environment& out) const {
    const auto* value = node.find("gitops");
    if (!value || value->is_null()) return {};
    if (!value->is_map()) return at(*value, "`gitops` is a map with at least `repository`");
    MLOPS_TRY(yaml_only_known_keys(*value, origin_, {"repository", "path", "renderer"}));
    const auto* repository = value->find("repository");
    if (!repository) return at(*value, "`gitops` needs `repository`", "name one of mlopsd's configured repositories");
    GitOps gitops;
    MLOPS_ASSIGN(gitops.repository, yaml_string(*repository, origin_, "gitops.repository"));
    MLOPS_TRY(checked(*repository, check_key(gitops.repository, "gitops.repository")));
    if (const auto* path = value->find("path")) {
      MLOPS_ASSIGN(gitops.path, yaml_string(*path, origin_, "gitops.path"));
      while (gitops.path.ends_with('/')) gitops.path.pop_back();
      if (!gitops.path.empty()) MLOPS_TRY(checked(*path, check_file_path(gitops.path)));
    }
    if (const auto* renderer = value->find("renderer")) {
      MLOPS_ASSIGN(gitops.renderer, yaml_string(*renderer, origin_, "gitops.renderer"));
      if (gitops.renderer != "manifest" && gitops.renderer != kKserveRenderer) {
        return at(*renderer, fmt::format("\"{}\" is not a renderer", gitops.renderer), "use manifest or kserve");
      }
      if (gitops.renderer == kKserveRenderer && !out.labels.contains(kStorageUriLabel)) {
        return at(*renderer, fmt::format("the renderer kserve needs the label `{}`", kStorageUriLabel),
                  "for example oci://HOST/{name}@{digest}, or s3://BUCKET/{name}/{version}");
      }
    }
    out.gitops = std::move(gitops);
    return {};
  }

  const std::string& origin_;
};

// A cycle through `after` among the given environments, as "a → b → a"; empty when there is none.
std::string find_cycle(const std::vector<Environment>& environments) {
  std::map<std::string, const Environment*> by_name;
  for (const auto& environment : environments) by_name[environment.name] = &environment;
  std::set<std::string> done;
  std::vector<std::string> path;
  std::function<std::string(const std::string&)> visit = [&](const std::string& name) -> std::string {
    if (done.contains(name) || !by_name.contains(name)) return {};
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] != name) continue;
      std::string cycle;
      for (; i < path.size(); ++i) cycle += path[i] + " → ";
      return cycle + name;
    }
    path.push_back(name);
    for (const auto& before : by_name[name]->after) {
      if (auto cycle = visit(before); !cycle.empty()) return cycle;
    }
    path.pop_back();
    done.insert(name);
    return {};
  };
  for (const auto& environment : environments) {
    if (auto cycle = visit(environment.name); !cycle.empty()) return cycle;
  }
  return {};
}

Status check_header(const YamlNode& root, const std::string& origin) {
  const auto bad = [&](const YamlNode& node, const std::string& message) {
    return fail(yaml_error(origin, node.mark, "environment_invalid", message,
                           "begin with `apiVersion: mlops/v1`, `kind: Environments`, `environments:`"));
  };
  if (!root.is_map()) return bad(root, "the file is not a map");
  MLOPS_TRY(yaml_only_known_keys(root, origin, {"apiVersion", "kind", "environments"}));
  const auto* version = root.find("apiVersion");
  if (!version || version->scalar != kApiVersion) return bad(version ? *version : root, "`apiVersion: mlops/v1` expected");
  const auto* kind = root.find("kind");
  if (!kind || kind->scalar != "Environments") return bad(kind ? *kind : root, "`kind: Environments` expected");
  const auto* list = root.find("environments");
  if (!list || !list->is_sequence() || list->items.empty()) {
    return bad(list ? *list : root, "`environments` must be a list with at least one environment");
  }
  return {};
}

}  // namespace

Result<std::vector<Environment>> parse_environments(std::string_view yaml, const std::string& origin) {
  MLOPS_ASSIGN(const auto root, parse_yaml(yaml, origin));
  MLOPS_TRY(check_header(root, origin));
  const EnvironmentReader reader(origin);
  std::vector<Environment> out;
  std::set<std::string> names;
  for (const auto& item : root.find("environments")->items) {
    MLOPS_ASSIGN(auto environment, reader.read(item));
    if (!names.insert(environment.name).second) {
      return fail(yaml_error(origin, item.mark, "environment_invalid",
                             fmt::format("environment \"{}\" stands twice", environment.name)));
    }
    out.push_back(std::move(environment));
  }
  if (const auto cycle = find_cycle(out); !cycle.empty()) {
    return fail(yaml_error(origin, root.find("environments")->mark, "environment_invalid",
                           fmt::format("the promotion order has a cycle: {}", cycle)));
  }
  return out;
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
  // Left out when not set, so that older revisions keep their digests.
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
    if (const auto gitops = json.find("gitops"); gitops != json.end()) {
      out.gitops = GitOps{gitops->at("repository"), gitops->at("path"), gitops->at("renderer")};
    }
    return out;
  } catch (const Json::exception&) {
    return fail(ErrorCode::kCorrupt, "bad_environment", "a stored environment cannot be read");
  }
}

}  // namespace mlops::model
