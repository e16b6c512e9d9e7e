// Reading environments as they are declared.
#include <fmt/format.h>

#include <functional>
#include <set>

#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/model/duration.h"
#include "core/model/environment.h"
#include "core/model/environment_expand.h"
#include "core/model/names.h"
#include "core/model/principal.h"

namespace mlops::model {
namespace {

constexpr std::int64_t kMostHours = 366 * 24;

constexpr std::string_view kApiVersion = "mlops/v1";

// Reads one environment from its YAML map; every error knows its line and column.
class EnvironmentReader {
 public:
  EnvironmentReader(const std::string& origin, const TimeZones& zones) : origin_(origin), zones_(zones) {}

  // An error in what was inherited names the place it was written at; the environment it was found in is added.
  Result<Environment> read(const ExpandedEnvironment& expanded) const {
    auto environment = read_fields(expanded.node);
    if (environment) {
      environment->template_name = expanded.template_name;
      environment->tenants_of = expanded.tenants_of;
      return environment;
    }
    auto error = std::move(environment.error());
    const auto* name = expanded.node.find("name");
    if (name && (!expanded.template_name.empty() || !expanded.tenants_of.empty())) {
      error.message += fmt::format(" (environment {}, {}:{})", printable(name->scalar), origin_, expanded.at.line);
    }
    return fail(std::move(error));
  }

 private:
  Result<Environment> read_fields(const YamlNode& node) const {
    MLOPS_TRY(yaml_only_known_keys(node, origin_, environment_keys()));
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
    MLOPS_TRY(read_times(node, out));
    MLOPS_ASSIGN(out.target, read_delivery_target(node, origin_));
    for (const auto& before : out.after) {
      if (before == out.name) return at(*node.find("after"), "an environment cannot come after itself");
    }
    return out;
  }

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
    MLOPS_TRY(yaml_only_known_keys(
        *value, origin_,
        {"approvals", "approver_roles", "reason_required", "signed", "plan_valid_hours", "review_within_hours"}));
    if (const auto* count = value->find("approvals")) {
      MLOPS_ASSIGN(out.approvals_needed, yaml_int(*count, origin_, "approvals", 0, 20));
    }
    if (const auto* required = value->find("reason_required")) {
      MLOPS_ASSIGN(out.reason_required, yaml_bool(*required, origin_, "reason_required"));
    }
    if (const auto* is_signed = value->find("signed")) {
      MLOPS_ASSIGN(out.signed_approvals, yaml_bool(*is_signed, origin_, "signed"));
    }
    if (const auto* hours = value->find("plan_valid_hours")) {
      MLOPS_ASSIGN(out.plan_valid_hours, yaml_int(*hours, origin_, "plan_valid_hours", 1, kMostHours));
    }
    if (const auto* hours = value->find("review_within_hours")) {
      MLOPS_ASSIGN(out.review_within_hours, yaml_int(*hours, origin_, "review_within_hours", 1, kMostHours));
    }
    if (const auto* roles = value->find("approver_roles")) {
      MLOPS_ASSIGN(out.approver_roles, yaml_strings(*roles, origin_, "approver_roles"));
      for (const auto& role : out.approver_roles) {
        if (!role_from_word(role)) return at(*roles, fmt::format("\"{}\" is not a role", role));
      }
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

  Status read_times(const YamlNode& node, Environment& out) const {
    if (const auto* soak = node.find("soak"); soak && !soak->is_null()) {
      MLOPS_ASSIGN(const auto text, yaml_string(*soak, origin_, "soak"));
      const auto seconds = parse_soak_s(text);
      if (!seconds) return at(*soak, seconds.error().message, seconds.error().hint);
      out.soak_s = *seconds;
      if (out.after.empty() && out.soak_s > 0) {
        return at(*soak, "`soak` needs `after`: it is the time in the environment before");
      }
    }
    if (const auto* windows = node.find("windows"); windows && !windows->is_null()) {
      MLOPS_ASSIGN(out.windows, read_windows(*windows, origin_, zones_));
    }
    if (const auto* freezes = node.find("freezes"); freezes && !freezes->is_null()) {
      MLOPS_ASSIGN(out.freezes, read_freezes(*freezes, origin_, zones_));
    }
    return {};
  }

  const std::string& origin_;
  const TimeZones& zones_;
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
  MLOPS_TRY(yaml_only_known_keys(root, origin, {"apiVersion", "kind", "templates", "environments"}));
  const auto* version = root.find("apiVersion");
  if (!version || version->scalar != kApiVersion)
    return bad(version ? *version : root, "`apiVersion: mlops/v1` expected");
  const auto* kind = root.find("kind");
  if (!kind || kind->scalar != "Environments") return bad(kind ? *kind : root, "`kind: Environments` expected");
  const auto* list = root.find("environments");
  if (!list || !list->is_sequence() || list->items.empty()) {
    return bad(list ? *list : root, "`environments` must be a list with at least one environment");
  }
  return {};
}

}  // namespace

Result<std::vector<Environment>> parse_environments(std::string_view yaml, const std::string& origin,
                                                    const TimeZones& zones) {
  MLOPS_ASSIGN(const auto root, parse_yaml(yaml, origin));
  MLOPS_TRY(check_header(root, origin));
  MLOPS_ASSIGN(const auto expanded, expand_environments(root, origin));
  const EnvironmentReader reader(origin, zones);
  std::vector<Environment> out;
  std::set<std::string> names;
  for (const auto& item : expanded) {
    MLOPS_ASSIGN(auto environment, reader.read(item));
    if (!names.insert(environment.name).second) {
      return fail(yaml_error(origin, item.at, "environment_invalid",
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

}  // namespace mlops::model
