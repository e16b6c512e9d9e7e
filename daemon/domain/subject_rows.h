// Reading the columns of a file that hold people's ids, and leaving out one person's records, byte for byte otherwise.
//
// Errors: those of the format's reader (kInvalid "csv_…", "format_unknown" …), source and sink; kRefused
// "records_inseparable": records of this format cannot be left out one by one. Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/data/stream.h"

namespace mlops::domain {

struct RecordCounts {
  std::uint64_t records = 0;
  std::uint64_t dropped = 0;
  std::vector<bool> has_column;  // of the wanted ones
  bool is_separable = true;      // single records of this format can be left out
};

enum class Fate { kStay, kDrop };
// Of each record: the ids in the wanted columns, `column` being the position among them; empty cells are not shown.
struct SubjectCell {
  std::size_t column = 0;
  std::string_view id;
};
using JudgeRecord = std::function<Fate(std::span<const SubjectCell> ids)>;

// Shows every record. `columns` are folded (fold_column); of JSON they are pointers or, for a member of the record
// itself, its name. With `out`, what stays is written there.
Result<RecordCounts> walk_records(data::Source& source, const std::string& path,
                                  const std::vector<std::string>& columns, const JudgeRecord& judge,
                                  data::Sink* out = nullptr);

// A column's name as columns are compared: blanks around it and ASCII case do not count.
std::string fold_subject_column(std::string_view name);

}  // namespace mlops::domain
