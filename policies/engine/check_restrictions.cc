// "extends merges toward restriction": a policy may take away more than its packs, never less, and may not do what
// they forbid. Legal anchors are in the packs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"

namespace mlops::policy {
namespace {

const IdentifierGroup* group_of(const Document& pack, std::string_view class_name) {
  for (const auto& group : pack.identifiers) {
    if (std::find(group.classes.begin(), group.classes.end(), class_name) != group.classes.end()) return &group;
  }
  const auto broader = broader_class(class_name);
  return broader.empty() ? nullptr : group_of(pack, broader);
}

const Rule* pack_rule(const Document& pack, std::string_view class_name) {
  for (const auto& rule : pack.rules) {
    if (rule.match == Rule::Match::kClass && rule.subject.value == class_name) return &rule;
  }
  const auto broader = broader_class(class_name);
  return broader.empty() ? nullptr : pack_rule(pack, broader);
}

std::string shown(const Document& pack, const IdentifierGroup* group) {
  return group ? fmt::format("{} ({}, {})", pack.name, group->letter.value, group->title) : pack.name;
}

// " [45 CFR …]" of the row that speaks, else of its group.
std::string clause(const std::string& row, const IdentifierGroup* group) {
  const auto& cite = row.empty() && group ? group->cite : row;
  return cite.empty() ? std::string{} : fmt::format(" [{}]", cite);
}

// A refusal, unless a written exception lets it stand; then lint keeps saying so.
void refuse(const Draft& draft, std::string_view target, YamlMark mark, const std::string& slug,
            const std::string& message, const std::string& hint, Findings& findings) {
  if (const auto* exception = draft.exception_for(target)) {
    findings.warning(mark, "excepted",
                     fmt::format("{} (exception {} until {})", message, printable(exception->id.value),
                                 printable(exception->expires)));
    return;
  }
  findings.error(mark, slug, message, hint);
}

// A column about people the pack's text does not speak of, with a rule of its own: kept by a recorded choice.
const OutsideRow* outside_row(const Draft& draft, const Document& pack, const Rule& rule) {
  if (rule.match != Rule::Match::kColumn) return nullptr;
  const auto* column = draft.declared(rule.subject.value);
  if (!column || column->subject.value.empty()) return nullptr;
  for (const auto& row : pack.outside) {
    const bool listed =
        std::find(row.classes.begin(), row.classes.end(), column->class_name.value) != row.classes.end();
    if (row.subject.value == column->subject.value && listed) return &row;
  }
  return nullptr;
}

// The option anywhere among the transform's own: `generalize: {zip3: {census: …}}` holds `census`.
const YamlNode* find_option(const YamlNode& options, std::string_view name) {
  if (const auto* found = options.find(name)) return found;
  for (const auto& [key, value] : options.entries) {
    if (const auto* found = find_option(value, name)) return found;
  }
  return nullptr;
}

bool violates(const Restriction& row, const Rule& rule, std::string_view class_name) {
  if (row.transform != rule.transform.value) return false;
  const bool speaks =
      row.classes.empty() || std::find(row.classes.begin(), row.classes.end(), class_name) != row.classes.end();
  if (!speaks) return false;
  if (row.option.empty()) return true;
  const auto* option = find_option(rule.options, row.option);
  if (!row.unless.empty()) {
    return !option || std::find(row.unless.begin(), row.unless.end(), option->scalar) == row.unless.end();
  }
  if (row.above) {
    if (!option || !option->is_scalar()) return false;
    const auto value = parse_int(option->scalar);
    return !value || static_cast<double>(*value) > *row.above;
  }
  return option != nullptr;
}

// Whether there was anything to find. Of a pack that lists no identifiers, every class that identifies is meant.
bool check_forbidden(const Draft& draft, const Document& pack, const IdentifierGroup* group, const Rule& rule,
                     std::string_view class_name, Findings& findings) {
  const bool unlisted = pack.identifiers.empty() && class_of(class_name).kind != ClassKind::kPlain;
  bool found = false;
  for (const auto& row : pack.forbid) {
    if (!violates(row, rule, class_name) || (!group && !unlisted && row.classes.empty())) continue;
    found = true;
    const auto what = row.option.empty() ? row.transform : row.transform + "." + row.option;
    refuse(draft, target_of(rule), rule.mark, "forbidden_transform",
           fmt::format("{} does not allow this {}: {}{}", shown(pack, group), what, row.why, clause(row.cite, group)),
           {}, findings);
  }
  return found;
}

bool is_redaction(std::string_view transform) {
  return transform == "redact" || transform == "replace";
}

void check_strength(const Draft& draft, const Document& pack, const IdentifierGroup* group, const Rule& rule,
                    std::string_view class_name, Findings& findings) {
  const auto* floor = pack_rule(pack, class_name);
  if (!floor) return;
  const auto& mine = rule.transform.value;
  const auto& theirs = floor->transform.value;
  const bool allowed = std::find(group->allow.begin(), group->allow.end(), mine) != group->allow.end();
  const int difference = transform_strength(mine) - transform_strength(theirs);
  const bool equal_kind = mine == theirs || (is_redaction(mine) && is_redaction(theirs));
  // Span redaction leaves the rest of the cell: for a whole identifier that is less than the pack's own.
  const bool only_spans = rule.redacts_spans() && !floor->redacts_spans();
  if (!only_spans && (difference > 0 || (difference == 0 && equal_kind) || allowed)) return;
  refuse(draft, target_of(rule), rule.mark, "loosens_pack",
         fmt::format("{} takes away less from class '{}' than {} of {}{}", only_spans ? "redact.spans" : mine,
                     class_name, theirs, shown(pack, group), clause(floor->cite, group)),
         fmt::format("leave the rule out (the pack's is {}) or use a stronger one", floor->where()), findings);
}

// What a pack does not list it may still have a rule for (free text).
void check_unlisted(const Draft& draft, const Document& pack, const Rule& rule, std::string_view class_name,
                    Findings& findings) {
  const auto* floor = pack_rule(pack, class_name);
  if (!floor || transform_strength(rule.transform.value) >= transform_strength(floor->transform.value)) return;
  refuse(draft, target_of(rule), rule.mark, "loosens_pack",
         fmt::format("{} takes away less from class '{}' than the pack's {}{}", rule.transform.value, class_name,
                     floor->transform.value, clause(floor->cite, nullptr)),
         {}, findings);
}

void check_rule(const Draft& draft, const Document& pack, const Rule& rule, Findings& findings) {
  const auto class_name = draft.class_of_rule(rule);
  const auto* group = group_of(pack, class_name);
  if (const auto* row = outside_row(draft, pack, rule)) {
    findings.warning(
        rule.mark, "outside_pack",
        fmt::format("column '{}' is about a {}, of whom {} does not speak: this rule is your choice{}",
                    printable(rule.subject.value), row->subject.value, pack.name, clause(row->cite, group)));
    return;
  }
  if (check_forbidden(draft, pack, group, rule, class_name, findings)) return;
  if (group) {
    check_strength(draft, pack, group, rule, class_name, findings);
  } else {
    check_unlisted(draft, pack, rule, class_name, findings);
  }
}

bool is_outside_column(const Draft& draft, const Document& pack, std::string_view column) {
  const auto* rule = find_column_rule(draft.own.rules, column);
  return rule && outside_row(draft, pack, *rule);
}

void check_settings(const Draft& draft, const Document& pack, Findings& findings) {
  const auto loosens = [&](std::string_view target, YamlMark mark, const std::string& message) {
    refuse(draft, target, mark, "loosens_pack", fmt::format("{} than {} allows", message, pack.name), {}, findings);
  };
  const auto& own = draft.own;
  if (own.unknown_column && pack.unknown_column && own.unknown_column->value < pack.unknown_column->value) {
    loosens("unknown_column", own.unknown_column->mark,
            fmt::format("unknown_column: {} is looser", to_word(own.unknown_column->value)));
  }
  if (own.residual_min_score && pack.residual_min_score &&
      own.residual_min_score->value > pack.residual_min_score->value) {
    loosens("residual.min_score", own.residual_min_score->mark, "residual.min_score is higher");
  }
  if (own.residual_max_findings && pack.residual_max_findings &&
      own.residual_max_findings->value > pack.residual_max_findings->value) {
    loosens("residual.max_findings", own.residual_max_findings->mark, "residual.max_findings is higher");
  }
  for (const auto& column : own.residual_ignore_columns) {
    if (is_outside_column(draft, pack, column.value)) continue;
    loosens("residual.ignore_columns", column.mark, "residual.ignore_columns leaves out more");
  }
  for (const auto& use : own.detectors) {
    if (!use.min_score || use.has_params || use.min_score->value <= kDefaultMinScore) continue;
    loosens("detectors", use.min_score->mark, "min_score is higher");
  }
}

void check_scan_and_mode(const Draft& draft, const Document& pack, Findings& findings) {
  const auto& own = draft.own;
  const auto loosens = [&](std::string_view target, YamlMark mark, const std::string& message) {
    refuse(draft, target, mark, "loosens_pack", fmt::format("{} than {} allows", message, pack.name), {}, findings);
  };
  if (own.enforcement_mode && own.enforcement_mode->value < EnforcementMode::kEnforce &&
      pack.enforcement_mode.value_or(Marked<EnforcementMode>{EnforcementMode::kDryRun, {}}).value >
          own.enforcement_mode->value) {
    loosens("enforcement.mode", own.enforcement_mode->mark,
            fmt::format("enforcement.mode: {} is looser", to_word(own.enforcement_mode->value)));
  }
  if (own.scan_free_text && !own.scan_free_text->value && pack.scan_free_text && pack.scan_free_text->value) {
    loosens("scan.free_text", own.scan_free_text->mark, "scan.free_text: false reads less");
  }
  if (own.scan_nested_depth && pack.scan_nested_depth && own.scan_nested_depth->value < pack.scan_nested_depth->value) {
    loosens("scan.nested_depth", own.scan_nested_depth->mark, "scan.nested_depth reads less deep");
  }
}

// A pack's own promise: every class it lists has a rule that takes something away.
void check_pack(const Document& pack, Findings& findings) {
  for (const auto& group : pack.identifiers) {
    for (const auto& name : group.classes) {
      const auto* rule = pack_rule(pack, name);
      if (rule && transform_strength(rule->transform.value) > 0) continue;
      findings.error(group.letter.mark, "class_without_rule",
                     fmt::format("class '{}' of {} has no rule that masks it", name, shown(pack, &group)));
    }
  }
}

}  // namespace

void check_restrictions(const Draft& draft, Findings& findings) {
  for (const auto* pack : draft.binding()) {
    for (const auto& rule : draft.own.rules) check_rule(draft, *pack, rule, findings);
    check_settings(draft, *pack, findings);
    check_scan_and_mode(draft, *pack, findings);
  }
  if (draft.own.is_pack) check_pack(draft.own, findings);
  if (!draft.binding().empty()) return;
  if (draft.own.residual_max_findings && draft.own.residual_max_findings->value > 0) {
    findings.warning(draft.own.residual_max_findings->mark, "residual_allowed",
                     "residual.max_findings above 0 lets personal data through");
  }
  for (const auto& column : draft.own.residual_ignore_columns) {
    findings.warning(column.mark, "residual_ignored",
                     fmt::format("column '{}' is not scanned after masking", printable(column.value)));
  }
}

}  // namespace mlops::policy
