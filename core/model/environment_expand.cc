#include "core/model/environment_expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/environment.h"
#include "core/model/names.h"

namespace mlops::model {
namespace {

constexpr std::string_view kPlaceholder = "{tenant}";
constexpr std::size_t kMostTenants = 1000;

class Expander {
 public:
  explicit Expander(const std::string& origin) : origin_(origin) {}

  Result<std::vector<ExpandedEnvironment>> expand(const YamlNode& root) {
    if (const auto* templates = root.find("templates"); templates && !templates->is_null()) {
      if (!templates->is_map()) return at(*templates, "`templates` is a map from a name to fields of an environment");
      templates_ = templates;
      MLOPS_TRY(check_templates());
    }
    std::vector<ExpandedEnvironment> out;
    for (const auto& item : root.find("environments")->items) MLOPS_TRY(add(item, out));
    return out;
  }

 private:
  Failure at(const YamlNode& node, const std::string& message, std::string hint = {}) const {
    return fail(yaml_error(origin_, node.mark, "environment_invalid", message, std::move(hint)));
  }

  // Also of templates that nobody uses: a mistake in them is found now, not by who uses them first.
  Status check_templates() const {
    for (const auto& [key, fields] : templates_->entries) {
      if (auto status = check_environment_name(key.scalar); !status) return at(key, status.error().message);
      if (!fields.is_map()) return at(fields, fmt::format("the template \"{}\" is not a map", key.scalar));
      MLOPS_TRY(yaml_only_known_keys(fields, origin_, environment_keys()));
      MLOPS_TRY(check_template_fields(fields));
      std::set<std::string> seen{key.scalar};
      MLOPS_TRY(resolved(fields, seen));
    }
    return {};
  }

  Status check_template_fields(const YamlNode& fields) const {
    for (const auto* word : {"name", "tenants"}) {
      const auto* value = fields.find(word);
      if (value) return at(*value, fmt::format("a template has no `{}`: the environment says it", word));
    }
    return {};
  }

  // The fields with everything inherited, without `template`.
  Result<YamlNode> resolved(const YamlNode& fields, std::set<std::string>& seen) const {
    auto own = fields;
    std::erase_if(own.entries, [](const auto& entry) { return entry.first.scalar == "template"; });
    const auto* named = fields.find("template");
    if (!named || named->is_null()) return own;
    MLOPS_ASSIGN(const auto name, yaml_string(*named, origin_, "template"));
    const auto* base = templates_ ? templates_->find(name) : nullptr;
    if (!base) return unknown_template(*named, name);
    if (!seen.insert(name).second) return at(*named, fmt::format("the template \"{}\" goes back to itself", name));
    MLOPS_ASSIGN(auto merged, resolved(*base, seen));
    merge(merged, own);
    merged.mark = fields.mark;
    return merged;
  }

  Failure unknown_template(const YamlNode& node, const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& entry : templates_ ? templates_->entries : decltype(node.entries){}) {
      names.push_back(entry.first.scalar);
    }
    const auto near = nearest_word(name, names);
    return at(node, fmt::format("there is no template \"{}\" in this file", printable(name)),
              near ? fmt::format("did you mean \"{}\"?", *near) : "declare it under `templates`");
  }

  static void merge(YamlNode& base, const YamlNode& over) {
    for (const auto& [key, value] : over.entries) {
      const auto known = std::find_if(base.entries.begin(), base.entries.end(),
                                      [&name = key.scalar](const auto& entry) { return entry.first.scalar == name; });
      if (known == base.entries.end()) {
        base.entries.emplace_back(key, value);
      } else if (known->second.is_map() && value.is_map()) {
        merge(known->second, value);
      } else {
        *known = {key, value};
      }
    }
    // An empty value takes away what was inherited.
    std::erase_if(base.entries, [](const auto& entry) { return entry.second.is_null(); });
  }

  static void fill_in(YamlNode& node, const std::string& tenant) {
    for (auto at = node.scalar.find(kPlaceholder); at != std::string::npos; at = node.scalar.find(kPlaceholder, at)) {
      node.scalar.replace(at, kPlaceholder.size(), tenant);
      at += tenant.size();
    }
    for (auto& item : node.items) fill_in(item, tenant);
    for (auto& entry : node.entries) fill_in(entry.second, tenant);
  }

  Status add(const YamlNode& item, std::vector<ExpandedEnvironment>& out) const {
    if (!item.is_map()) return at(item, "an environment is a map with at least `name` and `clearance`");
    std::set<std::string> seen;
    MLOPS_ASSIGN(auto whole, resolved(item, seen));
    ExpandedEnvironment base;
    base.at = item.mark;
    if (const auto* named = item.find("template"); named && !named->is_null()) base.template_name = named->scalar;
    const auto* tenants = item.find("tenants");
    std::erase_if(whole.entries, [](const auto& entry) { return entry.first.scalar == "tenants"; });
    base.node = std::move(whole);
    if (!tenants) {
      out.push_back(std::move(base));
      return {};
    }
    return add_tenants(base, *tenants, out);
  }

  Status add_tenants(const ExpandedEnvironment& base, const YamlNode& tenants,
                     std::vector<ExpandedEnvironment>& out) const {
    const bool is_list = tenants.is_sequence();
    if (!is_list && !tenants.is_map())
      return at(tenants, "`tenants` is a list of names, or a map from names to fields");
    const auto count = is_list ? tenants.items.size() : tenants.entries.size();
    if (count == 0) return at(tenants, "`tenants` names nobody");
    if (count > kMostTenants) return at(tenants, fmt::format("there are more than {} tenants", kMostTenants));
    std::set<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& name = is_list ? tenants.items[i] : tenants.entries[i].first;
      if (!names.insert(name.scalar).second)
        return at(name, fmt::format("the tenant \"{}\" stands twice", name.scalar));
      MLOPS_TRY(add_tenant(base, name, is_list ? YamlNode() : tenants.entries[i].second, out));
    }
    return {};
  }

  Status add_tenant(const ExpandedEnvironment& base, const YamlNode& name, const YamlNode& own,
                    std::vector<ExpandedEnvironment>& out) const {
    MLOPS_ASSIGN(const auto tenant, yaml_string(name, origin_, "a tenant"));
    if (auto status = check_environment_name(tenant); !status || tenant.find('/') != std::string::npos) {
      return at(name, fmt::format("\"{}\" is not a tenant's name", printable(tenant)),
                "use lower-case letters, digits, '.', '_' and '-'");
    }
    if (!own.is_null() && !own.is_map()) return at(own, fmt::format("the fields of tenant {} are not a map", tenant));
    for (const auto* word : {"name", "tenants", "template"}) {
      if (const auto* value = own.find(word)) return at(*value, fmt::format("a tenant cannot change `{}`", word));
    }
    auto expanded = base;
    expanded.at = name.mark;
    merge(expanded.node, own);
    const auto* declared = base.node.find("name");
    if (!declared) return at(base.node, "`name` is missing");
    expanded.tenants_of = declared->scalar;
    expanded.tenant = tenant;
    for (auto& [key, value] : expanded.node.entries) {
      if (key.scalar == "name") value.scalar += "/" + tenant;
    }
    fill_in(expanded.node, tenant);
    MLOPS_TRY(label_tenant(expanded, tenant, name.mark));
    out.push_back(std::move(expanded));
    return {};
  }

  Status label_tenant(ExpandedEnvironment& expanded, const std::string& tenant, const YamlMark& mark) const {
    const auto word = [&](std::string_view text) {
      YamlNode node;
      node.kind = YamlNode::Kind::kScalar;
      node.mark = mark;
      node.scalar = text;
      return node;
    };
    auto& entries = expanded.node.entries;
    auto labels =
        std::find_if(entries.begin(), entries.end(), [](const auto& e) { return e.first.scalar == "labels"; });
    if (labels == entries.end()) {
      YamlNode none;
      none.kind = YamlNode::Kind::kMap;
      none.mark = mark;
      labels = entries.insert(entries.end(), {word("labels"), none});
    }
    if (!labels->second.is_map()) return {};  // the reader of fields says so
    if (const auto* given = labels->second.find(kTenantLabel); given && given->scalar != tenant) {
      return at(*given,
                fmt::format("the label tenant of {}'s environment says \"{}\"", tenant, printable(given->scalar)),
                "leave it out: it is set");
    }
    if (!labels->second.find(kTenantLabel)) labels->second.entries.emplace_back(word(kTenantLabel), word(tenant));
    return {};
  }

  const std::string& origin_;
  const YamlNode* templates_ = nullptr;
};

}  // namespace

const std::vector<std::string_view>& environment_keys() {
  static const std::vector<std::string_view> kKeys{
      "name",   "description", "after", "clearance", "region",  "policies", "protection", "owners",
      "labels", "gitops",      "soak",  "windows",   "freezes", "template", "tenants",    "target"};
  return kKeys;
}

Result<std::vector<ExpandedEnvironment>> expand_environments(const YamlNode& root, const std::string& origin) {
  return Expander(origin).expand(root);
}

}  // namespace mlops::model
