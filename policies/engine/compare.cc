#include "policies/engine/compare.h"

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "core/base/text.h"
#include "policies/engine/classes.h"
#include "policies/engine/comparison.h"
#include "policies/engine/wording.h"

namespace mlops::policy {
namespace {

constexpr std::array<std::string_view, 4> kChangeWords{"neutral", "tightened", "unclear", "loosened"};
// A run that is refused gives nothing away.
constexpr int kRefused = 10;

// What happens to a column or class, and how much that takes away.
struct Treatment {
  std::string text;
  int strength = 0;
  const Rule* rule = nullptr;
};

Treatment without_rule(std::string_view class_name) {
  if (class_of(class_name).kind == ClassKind::kPlain) return {"kept (identifies nobody)", 0, nullptr};
  return {"no rule (a run is refused)", kRefused, nullptr};
}

Treatment of_rule(const Rule* rule, std::string_view class_name) {
  if (!rule) return without_rule(class_name);
  // What detectors do not find stays.
  const int strength = rule->redacts_spans() ? 1 : transform_strength(rule->transform.value);
  return {rule_text(*rule), strength, rule};
}

Treatment of_column(const Policy::Body& body, const std::string& column) {
  if (const auto* declared = body.declared(column)) {
    auto treatment = of_rule(body.rule_for(column, declared->class_name.value), declared->class_name.value);
    treatment.text = declared->class_name.value + ": " + treatment.text;
    return treatment;
  }
  if (body.unknown_column == UnknownColumn::kQuarantine) return {"undeclared (a run is refused)", kRefused, nullptr};
  if (body.unknown_column == UnknownColumn::kAllow) return {"undeclared (kept)", 0, nullptr};
  return {"undeclared (as the scan finds)", 1, nullptr};
}

// An option of which a direction is known; absent has the default's meaning.
struct OptionRow {
  std::string_view transform;
  std::string_view option;
  MoreIs more;
  std::int64_t absent;
};
constexpr OptionRow kOptions[] = {
    {"mask", "keep_last", MoreIs::kLooser, 0},          {"mask", "keep_first", MoreIs::kLooser, 0},
    {"date_truncate", "cap_age", MoreIs::kLooser, 150}, {"generalize", "age_cap", MoreIs::kLooser, 150},
    {"generalize", "cap", MoreIs::kLooser, 89},         {"generalize", "width", MoreIs::kStricter, 0},
};

const YamlNode* find_option(const YamlNode& options, std::string_view name) {
  if (const auto* found = options.find(name)) return found;
  for (const auto& [key, value] : options.entries) {
    if (const auto* found = find_option(value, name)) return found;
  }
  return nullptr;
}

// Rules that differ in nothing but what the residual scan may find behind them.
std::optional<Change> residual_change(const Rule& before, const Rule& after) {
  if (before.max_findings == after.max_findings || flow_text(before.options) != flow_text(after.options)) return {};
  constexpr auto kNoLimit = std::numeric_limits<std::int64_t>::max();
  const bool is_less = after.max_findings.value_or(kNoLimit) < before.max_findings.value_or(kNoLimit);
  return is_less ? Change::kTightened : Change::kLoosened;
}

// The direction of different options of one transform, when a single known one makes the difference.
Change option_change(const Rule& before, const Rule& after) {
  if (const auto change = residual_change(before, after)) return *change;
  const auto& transform = before.transform.value;
  const bool limits_differ = before.max_findings != after.max_findings;
  const bool only_a_word = transform == "redact" || transform == "replace";
  if (only_a_word && !limits_differ && before.redacts_spans() == after.redacts_spans()) return Change::kNeutral;
  for (const auto& row : kOptions) {
    if (row.transform != transform) continue;
    const auto value = [&](const Rule& rule) {
      const auto* node = find_option(rule.options, row.option);
      return node && node->is_scalar() ? parse_int(node->scalar).value_or(row.absent) : row.absent;
    };
    const auto a = value(before);
    const auto b = value(after);
    if (a == b) continue;
    if (limits_differ) return Change::kUnclear;
    return (a < b) == (row.more == MoreIs::kStricter) ? Change::kTightened : Change::kLoosened;
  }
  return Change::kUnclear;
}

Change change_of(const Treatment& before, const Treatment& after) {
  if (before.strength != after.strength) {
    return after.strength > before.strength ? Change::kTightened : Change::kLoosened;
  }
  const bool same_transform = before.rule && after.rule && before.rule->transform.value == after.rule->transform.value;
  if (same_transform) return option_change(*before.rule, *after.rule);
  return before.rule || after.rule ? Change::kUnclear : Change::kNeutral;
}

void compare_classes(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  std::set<std::string> names;
  for (const auto* body : {&before, &after}) {
    for (const auto& rule : body->rules) {
      if (rule.match == Rule::Match::kClass) names.insert(rule.subject.value);
    }
  }
  for (const auto& name : names) {
    const auto a = of_rule(before.rule_for_class(name), name);
    const auto b = of_rule(after.rule_for_class(name), name);
    if (a.text != b.text) out.add(change_of(a, b), "class " + name, a.text, b.text);
  }
}

void compare_columns(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  std::map<std::string, std::string> names;  // folded → as written
  for (const auto* body : {&before, &after}) {
    for (const auto& column : body->columns) names.emplace(fold_column(column.name.value), column.name.value);
  }
  for (const auto& [folded, name] : names) {
    const auto a = of_column(before, name);
    const auto b = of_column(after, name);
    const auto* was = before.declared(name);
    const auto* is = after.declared(name);
    // A class rule's change is told once, at the class.
    const bool by_class = was && is && was->class_name.value == is->class_name.value && a.rule && b.rule &&
                          a.rule->match == Rule::Match::kClass && b.rule->match == Rule::Match::kClass;
    if (a.text != b.text && !by_class) out.add(change_of(a, b), "column " + name, a.text, b.text);
    if (!was || !is || before.is_optional(*was) == after.is_optional(*is)) continue;
    const auto word = [](bool optional) { return std::string(optional ? "may be absent" : "must be there"); };
    out.add(after.is_optional(*is) ? Change::kLoosened : Change::kTightened, "column " + name,
            word(before.is_optional(*was)), word(after.is_optional(*is)));
  }
}

void compare_detectors(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  const auto scores = [](const Policy::Body& body) {
    std::map<std::string, double> map;
    for (const auto& one : body.detectors) map.emplace(std::string(one.detector->id()), one.min_score);
    return map;
  };
  const auto a = scores(before);
  const auto b = scores(after);
  auto all = a;
  all.insert(b.begin(), b.end());
  const auto score = [](const std::map<std::string, double>& map, const std::string& id) -> std::optional<double> {
    const auto found = map.find(id);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  };
  for (const auto& [id, ignored] : all) {
    out.limit("detector " + id, score(a, id), score(b, id), MoreIs::kLooser,
              [](double value) { return fmt::format("from score {}", value); });
  }
}

void compare_settings(const Policy::Body& before, const Policy::Body& after, Comparison& out) {
  const auto word = [](auto value) { return std::string(to_word(value)); };
  out.limit("setting unknown_column", std::optional(before.unknown_column), std::optional(after.unknown_column),
            MoreIs::kStricter, word);
  out.limit("setting residual.min_score", std::optional(before.residual_min_score),
            std::optional(after.residual_min_score), MoreIs::kLooser);
  out.limit("setting residual.max_findings", std::optional(before.residual_max_findings),
            std::optional(after.residual_max_findings), MoreIs::kLooser);
  out.limit("setting output.sensitivity", std::optional(before.output_sensitivity),
            std::optional(after.output_sensitivity), MoreIs::kStricter, word);
  out.text("setting output.name", before.output_name, after.output_name);
  const auto list = [](const std::set<std::string>& set) { return std::vector<std::string>(set.begin(), set.end()); };
  out.set("setting residual.ignore_columns", list(before.residual_ignore_columns), list(after.residual_ignore_columns),
          MoreIs::kLooser);
  const auto kinds = [](const Policy::Body& body) {
    std::vector<std::string> words;
    for (const auto kind : body.kinds) words.emplace_back(to_word(kind));
    return words;
  };
  out.set("setting select.kinds", kinds(before), kinds(after), MoreIs::kStricter);
  out.set("setting select.labels", labels_text(before.select_labels), labels_text(after.select_labels),
          MoreIs::kLooser);
}

}  // namespace

std::string_view to_word(Change change) {
  return kChangeWords[static_cast<std::size_t>(change)];
}

std::vector<Difference> compare_policies(const Policy& before, const Policy& after) {
  Comparison out;
  compare_classes(before.body(), after.body(), out);
  compare_columns(before.body(), after.body(), out);
  compare_detectors(before.body(), after.body(), out);
  compare_gates(before.body(), after.body(), out);
  compare_settings(before.body(), after.body(), out);
  compare_terms(before.body(), after.body(), out);
  return out.take();
}

}  // namespace mlops::policy
