// The columns of a file as the planner reads them: what the policy says of each, and what is found in its cells.
// Private to policies/engine. Errors: those of NameCheck and of the reader. Thread-safety: a reading belongs to one
// thread; several may read parts of one file. Ownership: the policy's body outlives all of it.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "policies/data/record.h"
#include "policies/engine/body.h"
#include "policies/engine/cell_scan.h"

namespace mlops::policy {

struct SeenColumn {
  std::string name;
  const DeclaredColumn* declared = nullptr;  // by the policy
  std::optional<DeclaredColumn> standard;    // by the standard of the format, where the policy says nothing
  bool is_scanned = true;                    // false: a rule rewrites it whatever its cells hold
  NameKind name_kind = NameKind::kHeader;
  CellScanner cells;
};

struct FileColumns {
  std::deque<SeenColumn> columns;  // in the order in which they were first met
  std::uint64_t records = 0;
};

// The columns of a file, or of parts of it, with what their cells hold.
class ColumnReading {
 public:
  ColumnReading(const Policy::Body& body, const std::string& table);

  // Reads all records; the columns grow with them. Returns the reader's columns, by their place in columns().
  Result<std::vector<std::size_t>> read(data::RecordReader& reader);
  // The columns the reader knows before its first record: of a table all.
  Result<std::vector<std::size_t>> meet(const data::RecordReader& reader);
  // Adds a column another reading has; its cells count here as well.
  void add(SeenColumn&& column);

  std::deque<SeenColumn>& columns() { return columns_; }
  std::uint64_t records() const { return records_; }

 private:
  Status take_new_columns(const data::RecordReader& reader, std::vector<std::size_t>& places);

  const Policy::Body& body_;
  const std::string& table_;
  NameCheck names_of_nobody_;
  std::unordered_map<std::string, std::size_t> places_;
  std::deque<SeenColumn> columns_;
  std::uint64_t records_ = 0;
};

// Reads all of a file, in parts side by side where it can be cut.
Result<FileColumns> read_columns(const Policy::Body& body, const std::string& table, data::RecordReader& reader);

// What happens to each column, in their order; what an undeclared one of a quarantining policy gets is decided by the
// refusal. Errors: kRefused "class_without_rule".
Result<std::vector<ColumnPlan>> decide(const Policy::Body& body, const std::deque<SeenColumn>& columns);

}  // namespace mlops::policy
