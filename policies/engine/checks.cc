// The table of static checks, and those about columns, rules and keys.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/data/fhir_elements.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

using Check = void (*)(const Draft&, Findings&);
constexpr Check kChecks[] = {
    check_columns, check_rules, check_classes_have_rules, check_keys,   check_restrictions, check_output,
    check_gates,   check_terms, check_exceptions,         check_shadow, check_requirements, check_tests,
    check_purpose};

void check_class(const Draft& draft, const Marked<std::string>& name, Findings& findings) {
  if (draft.has_class(name.value)) return;
  findings.error(name.mark, "unknown_class", fmt::format("there is no class '{}'", printable(name.value)),
                 suggestion(name.value, draft.class_words()));
}

std::vector<std::string> column_words(const Draft& draft) {
  std::vector<std::string> words;
  for (const auto& column : draft.own.columns) words.push_back(column.name.value);
  return words;
}

void check_declared(const Draft& draft, const std::vector<Marked<std::string>>& columns, std::string_view where,
                    Findings& findings) {
  for (const auto& column : columns) {
    if (draft.declared(column.value)) continue;
    findings.error(
        column.mark, "unknown_column",
        fmt::format("{} names '{}', which classification.columns does not declare", where, printable(column.value)),
        suggestion(column.value, column_words(draft)));
  }
}

std::string describe(const Rule& rule) {
  return fmt::format("{} '{}'", rule.match == Rule::Match::kClass ? "class" : "column", printable(rule.subject.value));
}

void check_duplicate(const std::vector<Rule>& rules, std::size_t index, Findings& findings) {
  const auto key = [](const Rule& one) {
    return one.match == Rule::Match::kColumn ? fold_column(one.subject.value) : one.subject.value;
  };
  const auto& rule = rules[index];
  for (std::size_t i = 0; i < index; ++i) {
    if (rules[i].match != rule.match || key(rules[i]) != key(rule)) continue;
    findings.error(
        rule.mark, "duplicate_rule",
        fmt::format("{} has a rule in line {} already: the first one wins", describe(rule), rules[i].mark.line),
        "remove one of them");
    return;
  }
}

// A class rule that no declared column and no detector can lead to.
void check_reachable(const Draft& draft, const Rule& rule, Findings& findings) {
  const auto& name = rule.subject.value;
  const auto detects = [&](const ActiveDetector& active) {
    return active.detector->id() == name || broader_class(active.detector->id()) == name;
  };
  // FHIR data bring their own declarations.
  const auto standard = data::fhir_elements();
  const auto holds = [&](const data::FhirElement& element) { return element.class_name == name; };
  if (std::any_of(standard.begin(), standard.end(), holds)) return;
  if (std::any_of(draft.detectors.begin(), draft.detectors.end(), detects)) return;
  const auto& columns = draft.own.columns;
  const auto leads_here = [&](const DeclaredColumn& column) {
    return column.class_name.value == name && draft.rule_for(column.name.value, name) == &rule;
  };
  if (std::any_of(columns.begin(), columns.end(), leads_here)) return;
  // The scan sends a column with a few hits to the free-text rule.
  if (name == kFreeText) return;
  findings.warning(rule.mark, "rule_unreachable",
                   fmt::format("no column and no detector leads to the rule for class '{}'", printable(name)));
}

}  // namespace

void check_draft(const Draft& draft, Findings& findings) {
  // Nothing was readable: what the checks would say follows from that alone.
  if (draft.own.name.empty() && findings.has_errors()) return;
  for (const auto check : kChecks) check(draft, findings);
}

void check_columns(const Draft& draft, Findings& findings) {
  std::set<std::string> seen;
  for (const auto& column : draft.own.columns) {
    if (!seen.insert(fold_column(column.name.value)).second) {
      findings.error(column.name.mark, "duplicate_column",
                     fmt::format("column '{}' is declared twice (case and outer blanks do not count)",
                                 printable(column.name.value)));
    }
    check_class(draft, column.class_name, findings);
  }
  check_declared(draft, draft.own.optional_columns, "optional_columns", findings);
  check_declared(draft, draft.own.residual_ignore_columns, "residual.ignore_columns", findings);
}

void check_rules(const Draft& draft, Findings& findings) {
  const auto& rules = draft.own.rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    check_duplicate(rules, i, findings);
    if (rule.match == Rule::Match::kClass) {
      check_class(draft, rule.subject, findings);
      if (!draft.own.is_pack && draft.has_class(rule.subject.value)) check_reachable(draft, rule, findings);
    } else if (!draft.declared(rule.subject.value)) {
      findings.error(rule.subject.mark, "rule_unreachable",
                     fmt::format("the rule's column '{}' is not declared in classification.columns",
                                 printable(rule.subject.value)),
                     suggestion(rule.subject.value, column_words(draft)));
    }
  }
  const bool written_empty = draft.own.rules_mark && rules.empty() && !findings.has_errors();
  if (written_empty && !draft.masks()) {
    findings.error(*draft.own.rules_mark, "empty_rules", "transforms.rules is empty: nothing would be masked");
  }
}

void check_classes_have_rules(const Draft& draft, Findings& findings) {
  if (!draft.masks()) return;
  const bool bound = !draft.binding().empty();
  for (const auto& column : draft.own.columns) {
    const auto& name = column.class_name.value;
    const auto kind = class_of(name).kind;
    if (kind == ClassKind::kPlain || !draft.has_class(name) || draft.rule_for(column.name.value, name)) continue;
    const auto message = fmt::format("no rule says what to do with column '{}' of class '{}'",
                                     printable(column.name.value), printable(name));
    const auto hint = fmt::format("- {{match: {{class: {}}}, apply: redact}}", printable(name));
    if (kind == ClassKind::kText) {
      findings.error(column.class_name.mark, "free_text_without_rule", message,
                     "- {match: {class: free_text}, apply: {redact: {spans: detected}}}");
    } else if (bound) {
      findings.error(column.class_name.mark, "class_without_rule", message, hint);
    } else {
      findings.warning(column.class_name.mark, "class_without_rule", message + ": a run will be refused", hint);
    }
  }
  if (!bound) return;
  for (const auto& use : draft.own.detectors) {
    if (!draft.has_class(use.id.value) || draft.rule_for({}, use.id.value)) continue;
    findings.error(use.id.mark, "class_without_rule",
                   fmt::format("no rule says what to do with what detector '{}' finds", printable(use.id.value)),
                   fmt::format("- {{match: {{class: {}}}, apply: redact}}", printable(use.id.value)));
  }
}

void check_keys(const Draft& draft, Findings& findings) {
  std::vector<std::string> declared;
  for (const auto& key : draft.own.keys) declared.push_back(key.name.value);
  std::set<std::string> used;
  for (const auto& rule : draft.own.rules) {
    if (!rule.apply || rule.apply->key_name().empty()) continue;
    const std::string name(rule.apply->key_name());
    used.insert(name);
    if (std::find(declared.begin(), declared.end(), name) != declared.end()) continue;
    findings.error(rule.transform.mark, "unknown_key_name",
                   fmt::format("transforms.keys declares no key '{}'", printable(name)), suggestion(name, declared));
  }
  for (const auto& key : draft.own.keys) {
    if (used.count(key.name.value)) continue;
    findings.warning(key.name.mark, "unused_key", fmt::format("no rule uses key '{}'", printable(key.name.value)));
  }
}

namespace {

// Gates, a pack's demands, or terms that hold for whatever data the policy selects.
bool asks_something(const Draft& draft) {
  const auto documents = draft.all();
  return std::any_of(documents.begin(), documents.end(), [](const Document* one) {
    return !one->gates.empty() || !one->requirements.empty() || one->retention_mark || one->residency_mark ||
           one->risk_mark || one->spec.find("purpose") || one->spec.find("erasure");
  });
}

}  // namespace

void check_purpose(const Draft& draft, Findings& findings) {
  if (findings.has_errors()) return;
  if (!draft.masks() && !asks_something(draft)) {
    findings.error(draft.own.root_mark, "empty_policy",
                   "the policy has neither transforms nor gates nor terms: it does nothing");
  }
  const auto kinds = draft.kinds();
  const bool datasets = std::find(kinds.begin(), kinds.end(), model::ArtifactKind::kDataset) != kinds.end();
  if (draft.masks() && !datasets) {
    findings.error(draft.own.root_mark, "transforms_unreachable",
                   "the policy has transforms but select.kinds leaves out dataset: they would never run",
                   "select: {kinds: [dataset]}");
  }
}

}  // namespace mlops::policy
