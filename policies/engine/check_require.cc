// Evidence paths: what packs ask a policy to declare, and whether it does. A path walks spec by its keys; '*' stands
// for every key or item. Only what is written counts, in the policy first, then in its packs.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/draft.h"

namespace mlops::policy {
namespace {

void collect(const YamlNode& node, const std::vector<std::string_view>& steps, std::size_t at,
             std::vector<const YamlNode*>& found) {
  if (at == steps.size()) {
    found.push_back(&node);
    return;
  }
  if (steps[at] == "*") {
    for (const auto& item : node.items) collect(item, steps, at + 1, found);
    for (const auto& [key, value] : node.entries) collect(value, steps, at + 1, found);
    return;
  }
  if (const auto* next = node.find(steps[at])) collect(*next, steps, at + 1, found);
}

bool is_filled(const YamlNode& node) {
  if (node.is_scalar()) return !trim(node.scalar).empty();
  return !node.items.empty() || !node.entries.empty();
}

// -1, 0, 1; nullopt: not comparable. Both are periods, or both are numbers.
std::optional<int> compare(std::string_view value, std::string_view bound) {
  const auto order = [](auto a, auto b) { return a < b ? -1 : b < a ? 1 : 0; };
  const auto period = parse_period(value);
  const auto other = parse_period(bound);
  if (period && other) return order(*period, *other);
  const auto number = parse_int(value);
  const auto limit = parse_int(bound);
  if (number && limit) return order(*number, *limit);
  return std::nullopt;
}

bool holds_all(const YamlNode& node, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
    return std::any_of(node.items.begin(), node.items.end(), [&](const YamlNode& item) { return item.scalar == word; });
  });
}

bool satisfies(const Requirement& row, const YamlNode& node) {
  if (!is_filled(node)) return false;
  if (!row.at_least.empty() && compare(node.scalar, row.at_least).value_or(-1) < 0) return false;
  if (!row.at_most.empty() && compare(node.scalar, row.at_most).value_or(1) > 0) return false;
  const bool listed =
      row.one_of.empty() || std::find(row.one_of.begin(), row.one_of.end(), node.scalar) != row.one_of.end();
  return listed && holds_all(node, row.holds);
}

// The nodes at a path in the first document that has any: what the policy writes itself is not made good by a pack.
std::vector<const YamlNode*> nodes_at(std::string_view path, const Draft& draft) {
  const auto steps = split(path, '.');
  std::vector<const YamlNode*> found;
  for (const auto* document : draft.all()) {
    collect(document->spec, steps, 0, found);
    if (!found.empty()) break;
  }
  return found;
}

std::string bounds_of(const Requirement& row) {
  std::string text;
  if (!row.at_least.empty()) text += fmt::format(", at least {}", row.at_least);
  if (!row.at_most.empty()) text += fmt::format(", at most {}", row.at_most);
  if (!row.one_of.empty()) text += fmt::format(", one of {}", join(row.one_of, ", "));
  if (!row.holds.empty()) text += fmt::format(", with {}", join(row.holds, ", "));
  return text;
}

}  // namespace

bool is_asked(const Requirement& row, const Draft& draft) {
  if (!row.when_path.empty() && nodes_at(row.when_path, draft).empty()) return false;
  if (row.when_class.empty()) return true;
  return std::any_of(draft.own.columns.begin(), draft.own.columns.end(), [&](const DeclaredColumn& column) {
    return std::find(row.when_class.begin(), row.when_class.end(), column.class_name.value) != row.when_class.end();
  });
}

bool is_met(const Requirement& row, const Draft& draft) {
  const auto nodes = nodes_at(row.path.value, draft);
  return std::any_of(nodes.begin(), nodes.end(), [&](const YamlNode* node) { return satisfies(row, *node); });
}

void check_requirements(const Draft& draft, Findings& findings) {
  for (const auto& pack : draft.packs) {
    for (const auto& row : pack.requirements) {
      if (!is_asked(row, draft) || is_met(row, draft)) continue;
      std::vector<const YamlNode*> written;
      collect(draft.own.spec, split(row.path.value, '.'), 0, written);
      const auto mark = written.empty() ? draft.own.root_mark : written.front()->mark;
      const auto message =
          fmt::format("{} asks for {}{}: {} ({})", pack.origin, row.path.value, bounds_of(row), row.why, row.cite);
      if (draft.exception_for("require:" + row.path.value)) {
        findings.warning(mark, "excepted", message);
      } else if (row.before_promotion) {
        findings.warning(mark, "evidence_missing", message, "masking may go on without it, a promotion may not");
      } else {
        findings.error(mark, "evidence_missing", message);
      }
    }
  }
}

}  // namespace mlops::policy
