#include "policies/cel/functions.h"

#include <algorithm>

namespace mlops::cel {
namespace {

std::vector<Builtin> all_rows() {
  std::vector<Builtin> rows;
  for (const auto part : {operator_rows, conversion_rows, text_rows, time_rows}) {
    for (auto& row : part()) {
      for (const auto text : row.signatures) {
        if (auto signature = parse_signature(text)) row.overloads.push_back(std::move(*signature));
      }
      rows.push_back(std::move(row));
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Builtin& a, const Builtin& b) { return a.name < b.name; });
  return rows;
}

}  // namespace

const Builtin* find_builtin(std::string_view name, bool is_method) {
  static const std::vector<Builtin> rows = all_rows();
  const auto found = std::lower_bound(rows.begin(), rows.end(), name,
                                      [](const Builtin& row, std::string_view word) { return row.name < word; });
  if (found == rows.end() || found->name != name) return nullptr;
  using Style = Builtin::Style;
  const bool fits = found->style == Style::kBoth || (found->style == Style::kMethod) == is_method;
  return fits ? &*found : nullptr;
}

Kind type_named(std::string_view name) {
  constexpr Kind kKinds[] = {Kind::kNull,  Kind::kBool,      Kind::kInt,      Kind::kUint, Kind::kDouble, Kind::kString,
                             Kind::kBytes, Kind::kTimestamp, Kind::kDuration, Kind::kList, Kind::kMap,    Kind::kType};
  for (const auto kind : kKinds) {
    if (type_name(kind) == name) return kind;
  }
  return Kind::kDyn;
}

Failure no_overload() {
  return fail(ErrorCode::kInvalid, "cel_no_overload",
              "no such overload: the values have types that this does not take");
}

}  // namespace mlops::cel
