// The first pass: reads the whole file once and decides for every column what it is and what happens to it.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/text.h"
#include "policies/data/fhir_elements.h"
#include "policies/data/format.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/classify.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/part_runner.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDefaultRule = "default";

struct Column {
  std::string name;
  const DeclaredColumn* declared = nullptr;  // by the policy
  std::optional<DeclaredColumn> standard;    // by the standard of the format, where the policy says nothing
  bool is_scanned = true;                    // false: a rule rewrites it whatever its cells hold
  NameKind name_kind = NameKind::kHeader;
  CellScanner cells;
};

// A column is declared by its name, or by its table's and its own: "patients.dob".
const DeclaredColumn* declared_in(const Policy::Body& body, const std::string& table, const std::string& column) {
  if (const auto* found = body.declared(column)) return found;
  return table.empty() ? nullptr : body.declared(table + "." + column);
}

const DeclaredColumn* declaration(const Column& column) {
  if (column.declared) return column.declared;
  return column.standard ? &*column.standard : nullptr;
}

// The name a rule for the column would use.
const std::string& rule_name(const Column& column) {
  return column.declared ? column.declared->name.value : column.name;
}

std::optional<DeclaredColumn> standard_declaration(data::Format format, const std::string& name) {
  if (!data::is_fhir(format)) return std::nullopt;
  const auto class_name = data::fhir_class(name);
  if (!class_name) return std::nullopt;
  DeclaredColumn column;
  column.name.value = name;
  column.class_name.value = *class_name;
  return column;
}

NameKind name_kind(const std::optional<DeclaredColumn>& standard) {
  if (!standard) return NameKind::kHeader;
  return standard->class_name.value == "code" ? NameKind::kStandardCode : NameKind::kStandard;
}

Column make_column(const Policy::Body& body, const std::string& table, data::Format format, const std::string& name) {
  const auto* by_policy = declared_in(body, table, name);
  auto standard = by_policy ? std::nullopt : standard_declaration(format, name);
  const auto* declared = by_policy ? by_policy : standard ? &*standard : nullptr;
  const auto* rule = declared ? body.rule_for(declared->name.value, declared->class_name.value) : nullptr;
  const bool rewritten = rule && rule->transform.value != "keep" && !rule->redacts_spans();
  const auto kind = name_kind(standard);
  return {name, by_policy, std::move(standard), !rewritten, kind, scanner_for(body.detectors, name, kind)};
}

bool has_declared(const std::deque<Column>& columns) {
  return std::any_of(columns.begin(), columns.end(), [](const Column& column) { return column.declared != nullptr; });
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

Classification classify(const Policy::Body& body, const Column& column) {
  if (column.declared) return classify_declared(body, *column.declared, column.cells);
  if (column.standard) {
    auto found = classify_declared(body, *column.standard, column.cells);
    if (found.decided_by == "declared") found.decided_by = "FHIR R4";
    return found;
  }
  if (body.unknown_column == UnknownColumn::kScan) return classify_unknown(body, column.cells);
  return {std::string(kUnknownClass), "unknown_column: allow"};
}

// In the order of the columns; what an undeclared column of a quarantining policy gets is decided by the refusal.
Result<std::vector<ColumnPlan>> decide(const Policy::Body& body, const std::deque<Column>& columns) {
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

// Does the policy declare a column by this name, or one that has it in its path?
bool is_written_in(const Policy::Body& body, std::string_view name) {
  const auto wanted = fold_column(name);
  return std::any_of(body.columns.begin(), body.columns.end(), [&](const DeclaredColumn& column) {
    return fold_column(column.name.value).find(wanted) != std::string::npos;
  });
}

// The columns of a file, or of parts of it, with what their cells hold.
class ColumnReading {
 public:
  ColumnReading(const Policy::Body& body, const std::string& table)
      : body_(body),
        table_(table),
        names_of_nobody_(body.detectors, [&](std::string_view name) { return is_written_in(body, name); }) {}

  // Reads all records; the columns grow with them. Returns the reader's columns, by their place in columns().
  Result<std::vector<std::size_t>> read(data::RecordReader& reader) {
    std::vector<std::size_t> places;
    MLOPS_TRY(take_new_columns(reader, places));
    while (true) {
      MLOPS_ASSIGN(const bool more, reader.next());
      if (!more) return places;
      ++records_;
      MLOPS_TRY(take_new_columns(reader, places));
      for (const auto& cell : reader.cells()) {
        auto& column = columns_[places[cell.column]];
        if (column.is_scanned) column.cells.scan(cell.text);
      }
    }
  }

  // The columns the reader knows before its first record: of a table all.
  Result<std::vector<std::size_t>> meet(const data::RecordReader& reader) {
    std::vector<std::size_t> places;
    MLOPS_TRY(take_new_columns(reader, places));
    return places;
  }

  // Adds a column another reading has; its cells count here as well.
  void add(Column&& column) {
    const auto known = places_.find(column.name);
    if (known != places_.end()) return columns_[known->second].cells.add(column.cells);
    places_.emplace(column.name, columns_.size());
    columns_.push_back(std::move(column));
  }

  std::deque<Column>& columns() { return columns_; }
  std::uint64_t records() const { return records_; }

 private:
  Status take_new_columns(const data::RecordReader& reader, std::vector<std::size_t>& places) {
    const auto& names = reader.columns();
    if (places.size() == names.size() && reader.new_keys().empty()) return {};
    MLOPS_TRY(names_of_nobody_.check(reader, places.size()));
    while (places.size() < names.size()) {
      const auto& name = names[places.size()];
      const auto [known, is_new] = places_.emplace(name, columns_.size());
      if (is_new) columns_.push_back(make_column(body_, table_, reader.format(), name));
      places.push_back(known->second);
    }
    return {};
  }

  const Policy::Body& body_;
  const std::string& table_;
  NameCheck names_of_nobody_;
  std::unordered_map<std::string, std::size_t> places_;
  std::deque<Column> columns_;
  std::uint64_t records_ = 0;
};

struct FileColumns {
  std::deque<Column> columns;  // in the order in which they were first met
  std::uint64_t records = 0;
};

// A part's columns by name, one a line, for the order of the whole.
std::string names_of(ColumnReading& reading, const std::vector<std::size_t>& places) {
  std::vector<std::string> names;
  for (const auto place : places) names.push_back(printable(reading.columns()[place].name));
  return join(names, "\n");
}

Result<FileColumns> read_parts(const Policy::Body& body, const std::string& table, data::RecordReader& whole,
                               data::RecordParts& parts) {
  std::deque<ColumnReading> readings;
  for (std::size_t i = 0; i < part_workers(); ++i) readings.emplace_back(body, table);
  std::vector<std::string> order;
  std::unordered_set<std::string> met;
  const auto meet = [&](const std::string& names) {
    for (const auto name : split(names, '\n')) {
      if (met.emplace(name).second) order.emplace_back(name);
    }
    return Status();
  };
  MLOPS_ASSIGN(const auto known, readings.front().meet(whole));
  MLOPS_TRY(meet(names_of(readings.front(), known)));
  const PartWork work{
      [&](std::size_t worker, const data::RecordPart&, data::RecordReader& reader) -> Result<std::string> {
        MLOPS_ASSIGN(const auto places, readings[worker].read(reader));
        return names_of(readings[worker], places);
      },
      meet};
  MLOPS_TRY(run_parts(parts, work));
  FileColumns file;
  ColumnReading total(body, table);
  for (auto& reading : readings) {
    file.records += reading.records();
    for (auto& column : reading.columns()) total.add(std::move(column));
  }
  std::unordered_map<std::string, std::size_t> rank;
  for (std::size_t i = 0; i < order.size(); ++i) rank.emplace(order[i], i);
  file.columns = std::move(total.columns());
  std::sort(file.columns.begin(), file.columns.end(),
            [&](const Column& a, const Column& b) { return rank[printable(a.name)] < rank[printable(b.name)]; });
  return file;
}

Result<FileColumns> read_columns(const Policy::Body& body, const std::string& table, data::RecordReader& reader) {
  if (const auto parts = reader.parts()) return read_parts(body, table, reader, *parts);
  ColumnReading reading(body, table);
  MLOPS_TRY(reading.read(reader));
  return FileColumns{std::move(reading.columns()), reading.records()};
}

}  // namespace

Result<FilePlan> DatasetPlanner::plan(const std::string& table, data::RecordReader& reader) {
  const auto& body = policy_.body();
  MLOPS_ASSIGN(const auto file, read_columns(body, table, reader));
  const auto& columns = file.columns;
  // A table's names may be shown once one of them is a declared column: then the first row is a header.
  may_show_names_ |= has_declared(columns) || !data::is_table(reader.format());
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
