#include "policies/engine/columns.h"

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/document.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kOne = "*";
constexpr std::string_view kAny = "**";

bool is_pointer(std::string_view folded) {
  return folded.starts_with('/') || folded.starts_with("**/");
}

std::vector<std::string_view> segments_of(std::string_view folded) {
  if (!is_pointer(folded)) return split(folded, '.');
  if (folded.starts_with('/')) folded.remove_prefix(1);
  return split(folded, '/');
}

// Row by row over the pattern: reach[i] says whether the segments so far can end at the column's i-th.
bool segments_match(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& column) {
  std::vector<bool> reach(column.size() + 1, false);
  reach[0] = true;
  for (const auto segment : pattern) {
    std::vector<bool> next(column.size() + 1, false);
    for (std::size_t i = 0; i <= column.size(); ++i) {
      if (segment == kAny) {
        next[i] = reach[i] || (i > 0 && next[i - 1]);
      } else if (i > 0 && reach[i - 1]) {
        next[i] = segment == kOne || segment == column[i - 1];
      }
    }
    reach = std::move(next);
  }
  return reach.back();
}

template <class T, class Name>
const T* find_by_column(const std::vector<T>& list, std::string_view column, Name name) {
  const auto folded = fold_column(column);
  const T* by_pattern = nullptr;
  for (const auto& one : list) {
    const std::string* written = name(one);
    if (!written) continue;
    if (fold_column(*written) == folded) return &one;
    if (!by_pattern && is_column_pattern(*written) && column_matches(*written, column)) by_pattern = &one;
  }
  return by_pattern;
}

}  // namespace

std::string fold_column(std::string_view name) {
  return to_lower_ascii(trim(name));
}

bool is_column_pattern(std::string_view name) {
  const auto folded = fold_column(name);
  const auto segments = segments_of(folded);
  return std::any_of(segments.begin(), segments.end(),
                     [](std::string_view segment) { return segment == kOne || segment == kAny; });
}

bool column_matches(std::string_view pattern, std::string_view column) {
  const auto folded_pattern = fold_column(pattern);
  const auto folded_column = fold_column(column);
  if (folded_pattern == folded_column) return true;
  if (!is_column_pattern(pattern)) return false;
  const bool same_spelling = is_pointer(folded_pattern) == folded_column.starts_with('/');
  if (!same_spelling && !folded_pattern.starts_with(kAny)) return false;
  return segments_match(segments_of(folded_pattern), segments_of(folded_column));
}

const DeclaredColumn* find_declared(const std::vector<DeclaredColumn>& columns, std::string_view column) {
  return find_by_column(columns, column, [](const DeclaredColumn& one) { return &one.name.value; });
}

const Rule* find_column_rule(const std::vector<Rule>& rules, std::string_view column) {
  return find_by_column(rules, column, [](const Rule& rule) -> const std::string* {
    return rule.match == Rule::Match::kColumn ? &rule.subject.value : nullptr;
  });
}

}  // namespace mlops::policy
