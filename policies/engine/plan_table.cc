// The first pass: reads the whole table once and decides for every column what it is and what happens to it.
#include <fmt/format.h>

#include <set>

#include "core/base/text.h"
#include "policies/data/csv.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/classify.h"
#include "policies/engine/mask_dataset.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDefaultRule = "default";

struct Column {
  std::string name;
  const DeclaredColumn* declared = nullptr;
  CellScanner cells;
};

// A table without a header gives its first row as one: that row's values must not end up in messages or in the output.
bool header_holds_data(const Policy::Body& body, const std::vector<std::string>& header) {
  for (const auto& cell : header) {
    for (const auto& active : body.detectors) {
      if (!active.detector->decides_by_value()) continue;
      std::vector<detect::Span> spans;
      active.detector->find(cell, {}, spans);
      for (const auto& span : spans) {
        if (span.score >= active.min_score) return true;
      }
    }
  }
  return false;
}

Status check_header(const Policy::Body& body, const std::vector<std::string>& header) {
  if (header_holds_data(body, header)) {
    return fail(ErrorCode::kRefused, "header_missing",
                "the first row holds personal data: the table seems to have no header",
                "add a header row with the column names");
  }
  return {};
}

// Header names may be shown once one of them is a declared column: then the first row is a header.
bool has_declared(const std::vector<Column>& columns) {
  for (const auto& column : columns) {
    if (column.declared) return true;
  }
  return false;
}

std::vector<std::string> absent_columns(const Policy::Body& body, const std::vector<Column>& columns) {
  std::set<std::string> present;
  for (const auto& column : columns) present.insert(fold_column(column.name));
  std::vector<std::string> absent;
  for (const auto& declared : body.columns) {
    const auto folded = fold_column(declared.name.value);
    if (!present.count(folded) && !body.optional_columns.count(folded)) absent.push_back(declared.name.value);
  }
  return absent;
}

Json unknown_facts(const Policy::Body& body, const std::vector<Column>& columns, bool may_show) {
  Json list = Json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].declared) continue;
    const auto guess = classify_unknown(body, columns[i].cells);
    Json one = {{"position", i + 1}, {"looks_like", guess.class_name}, {"because", guess.decided_by}};
    if (may_show) one["column"] = printable(columns[i].name);
    list.push_back(std::move(one));
  }
  return list;
}

std::string shown_names(const Json& unknown) {
  std::vector<std::string> names;
  for (const auto& one : unknown) {
    names.push_back(one.contains("column") ? one["column"].get<std::string>()
                                           : fmt::format("column {}", one["position"].get<std::size_t>()));
  }
  return join(names, ", ");
}

Status check_known(const Policy::Body& body, const std::vector<Column>& columns) {
  const bool may_show = has_declared(columns);
  const auto unknown = unknown_facts(body, columns, may_show);
  const auto absent = absent_columns(body, columns);
  if (!absent.empty()) {
    auto hint = may_show ? "rename the column, or list it in classification.optional_columns"
                         : "none of the declared columns is there: is the first row a header, is it the right table?";
    return fail(ErrorCode::kRefused, "columns_unmatched",
                fmt::format("the table lacks {} declared column{}: {}", absent.size(), absent.size() == 1 ? "" : "s",
                            join(absent, ", ")),
                hint, canonical_dump({{"missing", absent}, {"unknown", unknown}}));
  }
  if (unknown.empty() || body.unknown_column != UnknownColumn::kQuarantine) return {};
  return fail(
      ErrorCode::kRefused, "columns_unknown",
      fmt::format("the policy does not know {} of the table's columns: {}", unknown.size(), shown_names(unknown)),
      "declare them in classification.columns", canonical_dump({{"unknown", unknown}}));
}

Classification classify(const Policy::Body& body, const Column& column) {
  if (column.declared) return classify_declared(body, *column.declared, column.cells);
  if (body.unknown_column == UnknownColumn::kScan) return classify_unknown(body, column.cells);
  return {std::string(kUnknownClass), "unknown_column: allow"};
}

Result<std::vector<ColumnPlan>> decide(const Policy::Body& body, const std::vector<Column>& columns) {
  std::vector<ColumnPlan> plan;
  Json without_rule = Json::array();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& column = columns[i];
    auto decision = classify(body, column);
    const auto* rule = body.rule_for_treated(column.name, decision.class_name);
    if (!rule && class_of(decision.class_name).kind != ClassKind::kPlain) {
      const auto name = column.declared ? column.declared->name.value : fmt::format("column {}", i + 1);
      without_rule.push_back({{"column", name}, {"class", decision.class_name}, {"because", decision.decided_by}});
      names.push_back(fmt::format("{} ({})", name, decision.class_name));
      continue;
    }
    plan.push_back({column.name, std::move(decision.class_name), std::move(decision.decided_by),
                    rule ? rule->transform.value : "keep", rule ? rule->where() : std::string(kDefaultRule),
                    column.cells.is_coded()});
  }
  if (without_rule.empty()) return plan;
  return fail(ErrorCode::kRefused, "class_without_rule",
              fmt::format("no rule says what to do with {}", join(names, ", ")),
              "add a rule for the class to transforms.rules", canonical_dump({{"columns", without_rule}}));
}

}  // namespace

Result<std::vector<ColumnPlan>> plan_table(const Policy& policy, data::Source& table) {
  const auto& body = policy.body();
  MLOPS_ASSIGN(auto reader, data::CsvReader::open(table));
  MLOPS_TRY(check_header(body, reader.header()));
  std::vector<Column> columns;
  for (const auto& name : reader.header()) {
    columns.push_back({name, body.declared(name), CellScanner(detectors_for(body.detectors, name), name)});
  }
  data::CsvRow row;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next(row));
    if (!more) break;
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].cells.scan(row.text(i));
  }
  MLOPS_TRY(check_known(body, columns));
  if (reader.rows() == 0) {
    return fail(ErrorCode::kRefused, "table_empty", "the table has a header and no rows: nothing was looked at");
  }
  return decide(body, columns);
}

}  // namespace mlops::policy
