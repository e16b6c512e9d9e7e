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
  return nullptr;
}

const Rule* pack_rule(const Document& pack, std::string_view class_name) {
  for (const auto& rule : pack.rules) {
    if (rule.match == Rule::Match::kClass && rule.subject.value == class_name) return &rule;
  }
  return nullptr;
}

std::string shown(const Document& pack, const IdentifierGroup& group) {
  return fmt::format("{} ({}, {})", pack.name, group.letter.value, group.title);
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

// Whether there was anything to find.
bool check_forbidden(const Document& pack, const IdentifierGroup& group, const Rule& rule, std::string_view class_name,
                     Findings& findings) {
  bool found = false;
  for (const auto& row : pack.forbid) {
    if (!violates(row, rule, class_name)) continue;
    found = true;
    const auto what = row.option.empty() ? row.transform : row.transform + "." + row.option;
    findings.error(rule.mark, "forbidden_transform",
                   fmt::format("{} does not allow this {}: {}", shown(pack, group), what, row.why));
  }
  return found;
}

bool is_redaction(std::string_view transform) {
  return transform == "redact" || transform == "replace";
}

void check_strength(const Document& pack, const IdentifierGroup& group, const Rule& rule, std::string_view class_name,
                    Findings& findings) {
  const auto* floor = pack_rule(pack, class_name);
  if (!floor) return;
  const auto& mine = rule.transform.value;
  const auto& theirs = floor->transform.value;
  const bool allowed = std::find(group.allow.begin(), group.allow.end(), mine) != group.allow.end();
  const int difference = transform_strength(mine) - transform_strength(theirs);
  const bool equal_kind = mine == theirs || (is_redaction(mine) && is_redaction(theirs));
  // Span redaction leaves the rest of the cell: for a whole identifier that is less than the pack's own.
  const bool only_spans = rule.redacts_spans() && !floor->redacts_spans();
  if (!only_spans && (difference > 0 || (difference == 0 && equal_kind) || allowed)) return;
  findings.error(rule.mark, "loosens_pack",
                 fmt::format("{} takes away less from class '{}' than {} of {}", only_spans ? "redact.spans" : mine,
                             class_name, theirs, shown(pack, group)),
                 fmt::format("leave the rule out (the pack's is {}) or use a stronger one", floor->where()));
}

void check_rule(const Draft& draft, const Document& pack, const Rule& rule, Findings& findings) {
  const auto class_name = draft.class_of_rule(rule);
  const auto* group = group_of(pack, class_name);
  if (!group) {
    const auto* floor = pack_rule(pack, class_name);
    const bool weaker = floor && transform_strength(rule.transform.value) < transform_strength(floor->transform.value);
    if (weaker) {
      findings.error(rule.mark, "loosens_pack",
                     fmt::format("{} takes away less from class '{}' than the pack's {}", rule.transform.value,
                                 class_name, floor->transform.value));
    }
    return;
  }
  if (!check_forbidden(pack, *group, rule, class_name, findings))
    check_strength(pack, *group, rule, class_name, findings);
}

void check_settings(const Draft& draft, const Document& pack, Findings& findings) {
  const auto loosens = [&](YamlMark mark, const std::string& message) {
    findings.error(mark, "loosens_pack", fmt::format("{} than {} allows", message, pack.name));
  };
  const auto& own = draft.own;
  if (own.unknown_column && pack.unknown_column && own.unknown_column->value < pack.unknown_column->value) {
    loosens(own.unknown_column->mark, fmt::format("unknown_column: {} is looser", to_word(own.unknown_column->value)));
  }
  if (own.residual_min_score && pack.residual_min_score &&
      own.residual_min_score->value > pack.residual_min_score->value) {
    loosens(own.residual_min_score->mark, "residual.min_score is higher");
  }
  if (own.residual_max_findings && pack.residual_max_findings &&
      own.residual_max_findings->value > pack.residual_max_findings->value) {
    loosens(own.residual_max_findings->mark, "residual.max_findings is higher");
  }
  for (const auto& column : own.residual_ignore_columns) {
    loosens(column.mark, "residual.ignore_columns leaves out more");
  }
  for (const auto& use : own.detectors) {
    if (!use.min_score || use.has_params || use.min_score->value <= kDefaultMinScore) continue;
    loosens(use.min_score->mark, "min_score is higher");
  }
}

// A pack's own promise: every class it lists has a rule that takes something away.
void check_pack(const Document& pack, Findings& findings) {
  for (const auto& group : pack.identifiers) {
    for (const auto& name : group.classes) {
      const auto* rule = pack_rule(pack, name);
      if (rule && transform_strength(rule->transform.value) > 0) continue;
      findings.error(group.letter.mark, "class_without_rule",
                     fmt::format("class '{}' of {} has no rule that masks it", name, shown(pack, group)));
    }
  }
  for (const auto& row : pack.forbid) {
    if (row.why.empty()) findings.error(pack.root_mark, "missing_key", "a forbid row needs `why`");
  }
}

}  // namespace

void check_restrictions(const Draft& draft, Findings& findings) {
  for (const auto* pack : draft.binding()) {
    for (const auto& rule : draft.own.rules) check_rule(draft, *pack, rule, findings);
    check_settings(draft, *pack, findings);
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
