// Private to policies/data: writes one JSON record again with some of its values replaced or dropped.
//
// A dropped member goes with its key and one comma; a dropped element becomes null, or, when it was an object or array
// and `prune` says so, goes with one comma; an object or array of which everything was dropped is dropped itself. Of a
// record nothing is left but {}, [] or null. All other bytes stay. Errors: json_masked_utf8 (a new value that is not
// UTF-8). Thread-safety: one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/data/json_scanner.h"
#include "policies/data/record.h"

namespace mlops::data {

enum class Prune { kNullElements, kEmptyObjects };

// What becomes of the record's cells, one by one.
class CellChanges {
 public:
  CellChanges(std::span<const Cell> cells, std::span<const Change> changes, const std::vector<bool>& dropped)
      : cells_(cells), changes_(changes), dropped_(dropped) {}
  std::size_t size() const { return cells_.size(); }
  const Cell& cell(std::size_t index) const { return cells_[index]; }
  Change::Kind kind(std::size_t index) const {
    const std::size_t column = cells_[index].column;
    if (column < dropped_.size() && dropped_[column]) return Change::Kind::kDrop;
    return index < changes_.size() ? changes_[index].kind : Change::Kind::kKeep;
  }
  // Appends the cell as it is now. REQUIRES: it is not dropped.
  Status append(std::size_t index, std::string& out) const;

 private:
  std::span<const Cell> cells_;
  std::span<const Change> changes_;
  const std::vector<bool>& dropped_;
};

// Appends `record`, scanned before into the cells of `changes`, to `out`.
Status rewrite_json(std::string_view record, JsonPart part, const CellChanges& changes, Prune prune, std::string& out);

}  // namespace mlops::data
