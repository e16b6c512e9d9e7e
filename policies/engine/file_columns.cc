#include "policies/engine/file_columns.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/base/text.h"
#include "policies/data/fhir_elements.h"
#include "policies/data/format.h"
#include "policies/engine/part_runner.h"

namespace mlops::policy {
namespace {

// A column is declared by its name, or by its table's and its own: "patients.dob".
const DeclaredColumn* declared_in(const Policy::Body& body, const std::string& table, const std::string& column) {
  if (const auto* found = body.declared(column)) return found;
  return table.empty() ? nullptr : body.declared(table + "." + column);
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

SeenColumn make_column(const Policy::Body& body, const std::string& table, data::Format format,
                       const std::string& name) {
  const auto* by_policy = declared_in(body, table, name);
  auto standard = by_policy ? std::nullopt : standard_declaration(format, name);
  const auto* declared = by_policy ? by_policy : standard ? &*standard : nullptr;
  const auto* rule = declared ? body.rule_for(declared->name.value, declared->class_name.value) : nullptr;
  const bool rewritten = rule && rule->transform.value != "keep" && !rule->redacts_spans();
  const auto kind = name_kind(standard);
  return {name, by_policy, std::move(standard), !rewritten, kind, scanner_for(body.detectors, name, kind)};
}

// Does the policy declare a column by this name, or one that has it in its path?
bool is_written_in(const Policy::Body& body, std::string_view name) {
  const auto wanted = fold_column(name);
  return std::any_of(body.columns.begin(), body.columns.end(), [&](const DeclaredColumn& column) {
    return fold_column(column.name.value).find(wanted) != std::string::npos;
  });
}

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
  std::sort(file.columns.begin(), file.columns.end(), [&](const SeenColumn& a, const SeenColumn& b) {
    return rank[printable(a.name)] < rank[printable(b.name)];
  });
  return file;
}

}  // namespace

ColumnReading::ColumnReading(const Policy::Body& body, const std::string& table)
    : body_(body),
      table_(table),
      names_of_nobody_(body.detectors, [&](std::string_view name) { return is_written_in(body, name); }) {}

Result<std::vector<std::size_t>> ColumnReading::read(data::RecordReader& reader) {
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

Result<std::vector<std::size_t>> ColumnReading::meet(const data::RecordReader& reader) {
  std::vector<std::size_t> places;
  MLOPS_TRY(take_new_columns(reader, places));
  return places;
}

void ColumnReading::add(SeenColumn&& column) {
  const auto known = places_.find(column.name);
  if (known != places_.end()) return columns_[known->second].cells.add(column.cells);
  places_.emplace(column.name, columns_.size());
  columns_.push_back(std::move(column));
}

Status ColumnReading::take_new_columns(const data::RecordReader& reader, std::vector<std::size_t>& places) {
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

Result<FileColumns> read_columns(const Policy::Body& body, const std::string& table, data::RecordReader& reader) {
  if (const auto parts = reader.parts()) return read_parts(body, table, reader, *parts);
  ColumnReading reading(body, table);
  MLOPS_TRY(reading.read(reader));
  return FileColumns{std::move(reading.columns()), reading.records()};
}

}  // namespace mlops::policy
