#include "policies/risk/read_version.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::risk {
namespace {

std::string folded(std::string_view name) {
  return to_lower_ascii(trim(name));
}

// Which place in RiskTable::add a column of the reader takes; a reader's columns may grow.
class Places {
 public:
  explicit Places(const RiskColumns& columns) {
    for (const auto& name : columns.quasi) names_.push_back(name);
    for (const auto& name : columns.sensitive) names_.push_back(name);
    if (!columns.subject.empty()) names_.push_back(columns.subject);
    for (const auto& name : names_) folded_.push_back(folded(name));
    is_found_.resize(names_.size());
  }

  void learn(const std::vector<std::string>& columns) {
    for (std::size_t i = of_column_.size(); i < columns.size(); ++i) {
      of_column_.emplace_back();
      const auto name = folded(columns[i]);
      for (std::size_t place = 0; place < folded_.size(); ++place) {
        if (folded_[place] != name) continue;
        of_column_.back().push_back(place);
        is_found_[place] = true;
      }
    }
  }
  // A column may be quasi-identifier and sensitive at once.
  const std::vector<std::size_t>& of_column(std::size_t column) const { return of_column_[column]; }

  Status check_found() const {
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!is_found_[i]) missing.push_back("'" + printable(names_[i]) + "'");
    }
    if (missing.empty()) return {};
    return fail(ErrorCode::kInvalid, "column_missing", fmt::format("the table has no column {}", join(missing, ", ")),
                "column names are in its first row");
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> folded_;
  std::vector<bool> is_found_;
  std::vector<std::vector<std::size_t>> of_column_;
};

}  // namespace

Status read_records(RiskTable& table, data::RecordReader& reader) {
  Places places(table.columns());
  places.learn(reader.columns());
  std::vector<std::string_view> cells(table.cell_count());
  std::vector<bool> is_set(cells.size());
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) return places.check_found();
    places.learn(reader.columns());
    std::fill(cells.begin(), cells.end(), std::string_view());
    is_set.assign(is_set.size(), false);
    for (const auto& cell : reader.cells()) {
      for (const auto place : places.of_column(cell.column)) {
        if (is_set[place]) {
          return fail(ErrorCode::kInvalid, "column_repeated",
                      fmt::format("the record in line {} has several values of one column", reader.line()),
                      "risk is measured on records with one value a column");
        }
        is_set[place] = true;
        cells[place] = cell.text;
      }
    }
    MLOPS_TRY(table.add(cells));
  }
}

}  // namespace mlops::risk
