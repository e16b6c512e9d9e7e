#include "policies/engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/engine/body.h"
#include "policies/engine/classes.h"
#include "policies/engine/explain_terms.h"
#include "policies/engine/wording.h"

namespace mlops::policy {
namespace {

using Body = Policy::Body;

// "hipaa-safe-harbor A: names" of every pack that lists the class.
std::vector<std::string> groups_of(const Body& body, std::string_view class_name) {
  std::vector<std::string> texts;
  for (const auto& [pack, group] : body.groups) {
    if (std::find(group.classes.begin(), group.classes.end(), class_name) == group.classes.end()) continue;
    texts.push_back(fmt::format("{} {}: {}", pack, group.letter.value, group.title));
  }
  const auto broader = broader_class(class_name);
  return texts.empty() && !broader.empty() ? groups_of(body, broader) : texts;
}

// The clause of the rule, else of the group its class belongs to.
std::string cite_of(const Body& body, const Rule* rule, std::string_view class_name) {
  if (rule && !rule->cite.empty()) return rule->cite;
  for (const auto& [pack, group] : body.groups) {
    if (std::find(group.classes.begin(), group.classes.end(), class_name) != group.classes.end()) return group.cite;
  }
  const auto broader = broader_class(class_name);
  return broader.empty() ? std::string{} : cite_of(body, rule, broader);
}

void add_rule(const Body& body, const Rule* rule, std::string_view class_name, Json& out) {
  const bool plain = class_of(class_name).kind == ClassKind::kPlain;
  out["apply"] = rule ? rule_text(*rule) : plain ? "keep" : "none: a run is refused";
  out["strength"] = rule ? transform_strength(rule->transform.value) : 0;
  out["rule"] = rule ? rule->where() : std::string{};
  out["cite"] = cite_of(body, rule, class_name);
  out["exception"] = rule ? rule->exception : std::string{};
}

std::string because(const DeclaredColumn& column, const Rule* rule) {
  const auto& name = column.class_name.value;
  if (!rule) return class_of(name).kind == ClassKind::kPlain ? "identifies nobody by itself" : "no rule";
  if (rule->match == Rule::Match::kColumn) return "rule for the column";
  if (rule->subject.value == name) return "rule for its class";
  return fmt::format("rule for the broader class {}", rule->subject.value);
}

Json column_json(const Body& body, const DeclaredColumn& column) {
  const auto& name = column.name.value;
  const auto& class_name = column.class_name.value;
  const auto* rule = body.rule_for(name, class_name);
  Json out = {{"column", name},
              {"class", class_name},
              {"subject", column.subject.value},
              {"level", body.level_of(name, class_name)},
              {"category", column.category},
              {"optional", body.is_optional(column)},
              {"because", because(column, rule)}};
  add_rule(body, rule, class_name, out);
  return out;
}

Json class_json(const Body& body, const std::string& name) {
  Json columns = Json::array();
  for (const auto& column : body.columns) {
    if (column.class_name.value == name) columns.push_back(column.name.value);
  }
  Json out = {{"class", name},
              {"summary", class_of(name).summary},
              {"groups", groups_of(body, name)},
              {"columns", std::move(columns)}};
  add_rule(body, body.rule_for_class(name), name, out);
  return out;
}

Json gates_json(const Body& body) {
  Json list = Json::array();
  for (const auto& gate : body.gates) {
    list.push_back({{"id", gate.id},
                    {"kinds", kinds_text(gate.kinds)},
                    {"asks", gate_text(gate)},
                    {"rule", gate.where()},
                    {"cite", gate.cite}});
  }
  return list;
}

// Classes with a rule, and those that columns are declared with.
std::vector<std::string> class_names(const Body& body) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (seen.insert(name).second) names.push_back(name);
  };
  for (const auto& column : body.columns) add(column.class_name.value);
  for (const auto& rule : body.rules) {
    if (rule.match == Rule::Match::kClass) add(rule.subject.value);
  }
  return names;
}

bool knows_class(const Body& body, const std::string& name) {
  if (is_listed_class(name) || detect::find_detector(name)) return true;
  return std::any_of(body.own_detectors.begin(), body.own_detectors.end(),
                     [&](const auto& one) { return one->id() == name; });
}

std::string selects_text(const Body& body) {
  auto text = kinds_text(body.kinds);
  const auto labels = labels_text(body.select_labels);
  return labels.empty() ? text : text + " labelled " + join(labels, ", ");
}

}  // namespace

Json explain(const Policy& policy) {
  const auto& body = policy.body();
  Json classes = Json::array();
  for (const auto& name : class_names(body)) classes.push_back(class_json(body, name));
  Json columns = Json::array();
  for (const auto& column : body.columns) columns.push_back(column_json(body, column));
  Json out = {{"policy", body.name},
              {"version", body.version},
              {"digest", body.digest.to_string()},
              {"description", body.description},
              {"origin", body.origin},
              {"extends", body.extends},
              {"authority", body.authority},
              {"selects", selects_text(body)},
              {"masks", body.masks},
              {"unknown_column", to_word(body.unknown_column)},
              {"output", {{"name", body.output_name}, {"sensitivity", to_word(body.output_sensitivity)}}},
              {"residual",
               {{"min_score", body.residual_min_score},
                {"max_findings", body.residual_max_findings},
                {"ignore_columns", body.residual_ignore_columns}}},
              {"detectors", body.detectors.size()},
              {"tests", body.tests.size()},
              {"classes", std::move(classes)},
              {"columns", std::move(columns)},
              {"gates", gates_json(body)}};
  add_terms(body, out);
  return out;
}

Json explain_class(const Policy& policy, const std::string& class_name) {
  return knows_class(policy.body(), class_name) ? class_json(policy.body(), class_name) : Json();
}

Json explain_column(const Policy& policy, const std::string& column) {
  const auto& body = policy.body();
  if (const auto* declared = body.declared(column)) {
    auto out = column_json(body, *declared);
    if (is_column_pattern(declared->name.value)) out["declared_as"] = declared->name.value;
    out["column"] = column;
    return out;
  }
  constexpr std::string_view kWhat[] = {"kept as it is", "what the scan finds it to be decides", "a run is refused"};
  return {{"column", column},
          {"class", "unknown"},
          {"apply", kWhat[static_cast<std::size_t>(body.unknown_column)]},
          {"because", fmt::format("not declared; unknown_column: {}", to_word(body.unknown_column))}};
}

}  // namespace mlops::policy
