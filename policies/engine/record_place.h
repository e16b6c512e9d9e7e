// Where a record that is being masked stands, and the records of a block. Private to policies/engine, of RecordMasker.
// Thread-safety: as RecordMasker. Ownership: all of it is borrowed from the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/text.h"
#include "policies/engine/record_masker.h"

namespace mlops::policy {

inline constexpr std::uint32_t kNotBatched = UINT32_MAX;

class RecordView : public mask::RowView {
 public:
  RecordView(const data::RecordReader& reader, std::span<const data::Cell> cells) : reader_(reader), cells_(cells) {}
  std::optional<std::string_view> cell(std::string_view column) const override {
    const auto wanted = fold_column(column);
    const auto& columns = reader_.columns();
    for (const auto& one : cells_) {
      if (fold_column(columns[one.column]) == wanted) return one.text;
    }
    return std::nullopt;
  }

 private:
  const data::RecordReader& reader_;
  std::span<const data::Cell> cells_;
};

struct RecordMasker::Place {
  const data::RecordReader& reader;
  std::span<const data::Cell> cells;
  std::uint64_t record = 0;                  // of the file, from 0
  std::span<const std::uint32_t> batched{};  // by cell: its place in its column's batch, or kNotBatched
  bool is_even = false;                      // the columns' lists speak of its cells
  RecordView view{reader, cells};
};

// Records that stay while the reader goes on, masked together.
struct RecordMasker::Block {
  struct Record {
    std::size_t begin = 0;  // its first cell
    data::KeptRecord kept;
  };
  std::vector<data::Cell> cells;
  std::vector<std::uint32_t> batched;  // by cell
  std::vector<Record> records;
  std::vector<std::uint8_t> looks;     // by cell, of a table's kept columns: LookAt
  std::vector<std::uint8_t> is_named;  // by record: it has identifiers that a cell may hold
  bool is_even = true;                 // each record has one cell a column, in the order of the columns

  std::size_t end_of(std::size_t record) const {
    return record + 1 < records.size() ? records[record + 1].begin : cells.size();
  }
};

}  // namespace mlops::policy
