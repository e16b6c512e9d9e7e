// The first pass: reads the whole file once and decides for every column what it is and what happens to it.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/base/text.h"
#include "policies/data/format.h"
#include "policies/engine/classes.h"
#include "policies/engine/classify.h"
#include "policies/engine/early_mask.h"
#include "policies/engine/file_columns.h"
#include "policies/engine/mask_dataset.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDefaultRule = "default";

const DeclaredColumn* declaration(const SeenColumn& column) {
  if (column.declared) return column.declared;
  return column.standard ? &*column.standard : nullptr;
}

// The name a rule for the column would use.
const std::string& rule_name(const SeenColumn& column) {
  return column.declared ? column.declared->name.value : column.name;
}

bool has_declared(const std::deque<SeenColumn>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const SeenColumn& column) { return column.declared != nullptr; });
}

// The first of many, so that a sentence stays one; the facts have all.
std::string first_of(std::vector<std::string> names) {
  constexpr std::size_t kMostShown = 8;
  if (names.size() <= kMostShown) return join(names, ", ");
  const auto more = names.size() - kMostShown;
  names.resize(kMostShown);
  return fmt::format("{} and {} more", join(names, ", "), more);
}

std::string shown_names(const Json& unknown, bool may_show) {
  std::vector<std::string> names;
  for (const auto& one : unknown) {
    names.push_back(may_show ? one["column"].get<std::string>()
                             : fmt::format("column {}", one["position"].get<std::size_t>()));
  }
  return first_of(std::move(names));
}

Classification classify(const Policy::Body& body, const SeenColumn& column) {
  if (column.declared) return classify_declared(body, *column.declared, column.cells);
  if (column.standard) {
    auto found = classify_declared(body, *column.standard, column.cells);
    if (found.decided_by == "declared") found.decided_by = "FHIR R4";
    return found;
  }
  if (body.unknown_column == UnknownColumn::kScan) return classify_unknown(body, column.cells);
  return {std::string(kUnknownClass), "unknown_column: allow"};
}

}  // namespace

Result<std::vector<ColumnPlan>> decide(const Policy::Body& body, const std::deque<SeenColumn>& columns) {
  std::vector<ColumnPlan> plan;
  Json without_rule = Json::array();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& column = columns[i];
    auto decision = classify(body, column);
    const auto* rule = body.rule_for_treated(rule_name(column), decision.class_name);
    if (!rule && class_of(decision.class_name).kind != ClassKind::kPlain) {
      const auto name = declaration(column) ? rule_name(column) : fmt::format("column {}", i + 1);
      without_rule.push_back({{"column", name}, {"class", decision.class_name}, {"because", decision.decided_by}});
      names.push_back(fmt::format("{} ({})", name, decision.class_name));
      continue;
    }
    plan.push_back({column.name, std::move(decision.class_name), std::move(decision.decided_by),
                    rule ? rule->transform.value : "keep", rule ? rule->where() : std::string(kDefaultRule),
                    rule_name(column), column.cells.is_coded(), column.name_kind});
  }
  if (without_rule.empty()) return plan;
  return fail(ErrorCode::kRefused, "class_without_rule",
              fmt::format("no rule says what to do with {}", first_of(std::move(names))),
              "add a rule for the class to transforms.rules", canonical_dump({{"columns", without_rule}}));
}

Result<FilePlan> DatasetPlanner::plan(const std::string& table, data::RecordReader& reader) {
  MLOPS_ASSIGN(const auto file, read_columns(policy_.body(), table, reader));
  return plan_of(table, file, data::is_table(reader.format()));
}

Result<FilePlan> DatasetPlanner::plan(const EarlyMask& early) {
  return plan_of(early.assumed().table, early.columns(), true);
}

Result<FilePlan> DatasetPlanner::plan_of(const std::string& table, const FileColumns& file, bool is_table) {
  const auto& body = policy_.body();
  const auto& columns = file.columns;
  // A table's names may be shown once one of them is a declared column: then the first row is a header.
  may_show_names_ |= has_declared(columns) || !is_table;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& column = columns[i];
    if (column.declared) {
      seen_.insert(column.declared->name.value);
      continue;
    }
    if (column.standard) continue;
    const auto guess = classify_unknown(body, column.cells);
    unknown_.push_back({{"column", column.name.empty() ? "(the record itself)" : printable(column.name)},
                        {"position", i + 1},
                        {"looks_like", guess.class_name},
                        {"because", guess.decided_by}});
  }
  if (file.records == 0) {
    // What is declared and missing explains an empty table better than its emptiness.
    MLOPS_TRY(finish());
    return fail(ErrorCode::kRefused, "table_empty", "the table has a header and no rows: nothing was looked at");
  }
  if (body.unknown_column == UnknownColumn::kQuarantine && !unknown_.empty()) return FilePlan{table, {}, table};
  MLOPS_ASSIGN(auto plan, decide(body, columns));
  return FilePlan{table, std::move(plan), table};
}

Status DatasetPlanner::finish() const {
  const auto& body = policy_.body();
  Json unknown = unknown_;
  if (!may_show_names_) {
    for (auto& one : unknown) one.erase("column");
  }
  std::vector<std::string> absent;
  for (const auto& declared : body.columns) {
    const auto& name = declared.name.value;
    if (!seen_.count(name) && !body.optional_columns.count(fold_column(name))) absent.push_back(name);
  }
  if (!absent.empty()) {
    auto hint = may_show_names_
                    ? "rename the column, or list it in classification.optional_columns"
                    : "none of the declared columns is there: is the first row a header, is it the right table?";
    return fail(ErrorCode::kRefused, "columns_unmatched",
                fmt::format("the data lack {} declared column{}: {}", absent.size(), absent.size() == 1 ? "" : "s",
                            first_of(absent)),
                hint, canonical_dump({{"missing", absent}, {"unknown", unknown}}));
  }
  if (unknown.empty() || body.unknown_column != UnknownColumn::kQuarantine) return {};
  return fail(ErrorCode::kRefused, "columns_unknown",
              fmt::format("the policy does not know {} of the columns: {}", unknown.size(),
                          shown_names(unknown, may_show_names_)),
              "declare them in classification.columns", canonical_dump({{"unknown", unknown}}));
}

}  // namespace mlops::policy
