#include <fmt/format.h>

#include <array>

#include "cli/completion.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A list whose items have a name: path, member with the value, members that describe it.
struct NamedList {
  Complete kind;
  std::string_view path;
  const char* value;
  const char* description;
};

constexpr std::array<NamedList, 3> kLists{{
    {Complete::kEnvironment, "/api/v1/environments", "name", "description"},
    {Complete::kPolicy, "/api/v1/policies", "name", "version"},
    {Complete::kPlan, "/api/v1/plans?state=open", "id", "environment"},
}};

Json items_of(ApiClient& api, const std::string& path) {
  auto answer = api.get(path);
  if (!answer || !answer->is_object()) return Json::array();
  const auto items = answer->find("items");
  return items != answer->end() && items->is_array() ? *items : Json::array();
}

void add_items(Completions& found, const Json& items, const NamedList& list, std::string_view prefix) {
  for (const auto& item : items) {
    const auto value = text_at(item, list.value);
    if (!value.empty() && value.starts_with(prefix))
      found.candidates.push_back({value, text_at(item, list.description)});
  }
}

// Everything that names a version of one artifact.
void add_references(Completions& found, ApiClient& api, const Json& artifact, std::string_view kind_prefix,
                    std::string_view prefix) {
  const auto name = text_at(artifact, "name");
  const auto add = [&](const std::string& reference, const std::string& description) {
    const auto value = std::string(kind_prefix) + reference;
    if (value.starts_with(prefix)) found.candidates.push_back({value, description});
  };
  if (artifact.contains("aliases") && artifact["aliases"].is_object()) {
    for (const auto& [alias, target] : artifact["aliases"].items()) {
      add(name + "@" + alias, target.is_string() ? target.get<std::string>() : std::string());
    }
  }
  if (artifact.contains("environments") && artifact["environments"].is_object()) {
    for (const auto& [environment, target] : artifact["environments"].items()) {
      add(name + "#" + environment, target.is_string() ? target.get<std::string>() : std::string());
    }
  }
  const auto kind = text_at(artifact, "kind");
  for (const auto& version :
       items_of(api, fmt::format("/api/v1/versions?kind={}&name={}&limit=50", url_encode(kind), url_encode(name)))) {
    add(text_at(version, "ref"), text_at(version, "created_at").substr(0, 10));
  }
}

Completions lookup_references(ApiClient& api, Complete kind, std::string_view prefix) {
  const auto colon = prefix.find(':');
  const auto kind_prefix = colon == std::string_view::npos ? std::string_view() : prefix.substr(0, colon + 1);
  const auto rest = prefix.substr(kind_prefix.size());
  const auto selector = rest.find_first_of("@#");
  const auto name = rest.substr(0, selector);
  const auto artifacts = items_of(api, "/api/v1/artifacts?prefix=" + url_encode(name));

  Completions found;
  const bool versions = kind == Complete::kReference && (selector != std::string_view::npos || artifacts.size() == 1);
  for (const auto& artifact : artifacts) {
    const auto full = text_at(artifact, "name");
    if (versions) {
      if (selector == std::string_view::npos || full == name) add_references(found, api, artifact, kind_prefix, prefix);
    } else if ((std::string(kind_prefix) + full).starts_with(prefix)) {
      found.candidates.push_back({std::string(kind_prefix) + full, text_at(artifact, "kind")});
    }
  }
  found.no_space = kind == Complete::kReference && !versions;
  return found;
}

}  // namespace

Completions lookup_names(ApiClient& api, Complete kind, std::string_view prefix) {
  if (kind == Complete::kReference || kind == Complete::kArtifact) return lookup_references(api, kind, prefix);
  Completions found;
  for (const auto& list : kLists) {
    if (list.kind == kind) add_items(found, items_of(api, std::string(list.path)), list, prefix);
  }
  return found;
}

}  // namespace mlops::cli
