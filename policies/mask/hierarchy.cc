// generalize: {hierarchy: {values: ROWS, level?: 1}}. A row is a value and what it becomes level by level:
//
//   values: {Divorced: [once married, "*"], Widowed: [once married, "*"]}
//   values: [[Divorced, once married, "*"], "Widowed; once married; *"]
//
// What is in no row becomes "*". A label of the chosen level stays, so a second run changes nothing.
#include <map>
#include <set>

#include "core/base/text.h"
#include "policies/mask/makers.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kUnknown = "*";
constexpr std::int64_t kMostLevels = 16;

class Hierarchy : public Transform {
 public:
  explicit Hierarchy(std::map<std::string, std::string, std::less<>> parents) : parents_(std::move(parents)) {
    for (const auto& [value, parent] : parents_) labels_.insert(parent);
  }
  std::string_view id() const override { return "generalize"; }
  Result<std::string> apply(std::string_view cell, const CellContext&) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    const auto found = parents_.find(cell);
    if (found != parents_.end()) return found->second;
    return std::string(labels_.contains(cell) ? cell : kUnknown);
  }

 private:
  std::map<std::string, std::string, std::less<>> parents_;
  std::set<std::string, std::less<>> labels_;
};

using Row = std::vector<std::string>;

// A list of texts, or one text with semicolons.
Result<Row> read_row(const YamlNode& node, const TransformContext& context) {
  if (node.is_sequence()) return yaml_strings(node, context.origin, "hierarchy row");
  MLOPS_ASSIGN(const auto text, yaml_string(node, context.origin, "hierarchy row"));
  Row row;
  for (const auto part : split(text, ';')) row.emplace_back(trim(part));
  return row;
}

Status add_row(std::map<std::string, std::string, std::less<>>& parents, const Row& row, std::int64_t level,
               const YamlNode& node, const TransformContext& context) {
  const auto bad = [&](std::string message) {
    return fail(yaml_error(context.origin, node.mark, "bad_option", std::move(message)));
  };
  const auto wanted = static_cast<std::size_t>(level);
  if (row.size() <= wanted) return bad(fmt::format("this row has no level {}", level));
  const std::string value(trim(row[0]));
  const std::string parent(trim(row[wanted]));
  if (value.empty() || parent.empty()) return bad("a value or its parent is empty");
  if (value == parent && value != kUnknown) return bad("a value is its own parent: it would stay as it is");
  if (!parents.emplace(value, parent).second) return bad("this value has a row already");
  return {};
}

}  // namespace

Made make_hierarchy(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "generalize.hierarchy", {"values", "level"}));
  MLOPS_ASSIGN(const auto level, int_option(value, context, "level", 1, {1, kMostLevels}));
  const YamlNode* values = value.find("values");
  if (!values) {
    return missing_option(value, context, "generalize.hierarchy", "values", "values: {Divorced: [once married]}");
  }
  std::map<std::string, std::string, std::less<>> parents;
  for (const auto& [key, node] : values->entries) {
    MLOPS_ASSIGN(auto row, read_row(node, context));
    row.insert(row.begin(), key.scalar);
    MLOPS_TRY(add_row(parents, row, level, node, context));
  }
  for (const auto& node : values->items) {
    MLOPS_ASSIGN(const auto row, read_row(node, context));
    MLOPS_TRY(add_row(parents, row, level, node, context));
  }
  if (parents.empty()) {
    return fail(yaml_error(context.origin, values->mark, "bad_option", "generalize.hierarchy.values has no rows"));
  }
  return std::unique_ptr<Transform>(std::make_unique<Hierarchy>(std::move(parents)));
}

}  // namespace mlops::mask
