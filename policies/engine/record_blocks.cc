// Masks the records of a part in blocks. Of a table, what can be done a column at a time is: what is known of a column
// is then at hand for all its cells.
#include "policies/data/format.h"
#include "policies/engine/record_masker.h"
#include "policies/engine/record_place.h"

namespace mlops::policy {
namespace {

constexpr std::size_t kBlockRecords = 256;

}  // namespace

Status RecordMasker::run_blocks(data::RecordReader& reader, data::RecordWriter& writer, std::uint64_t first_record) {
  Block block;
  while (true) {
    const auto more = fill(reader, block);
    MLOPS_TRY(mask_block(reader, block, first_record, writer));  // what stands before an error comes first
    if (!more) return fail(more.error());
    if (!*more) return {};
    first_record += block.records.size();
  }
}

// Reads the records of the next block; false at the end.
Result<bool> RecordMasker::fill(data::RecordReader& reader, Block& block) {
  block.cells.clear();
  block.records.clear();
  block.is_even = data::is_table(reader.format());
  while (block.records.size() < kBlockRecords) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) return false;
    MLOPS_TRY(take_new_columns(reader));
    block.records.push_back({block.cells.size(), reader.kept()});
    const auto& cells = reader.cells();
    block.cells.insert(block.cells.end(), cells.begin(), cells.end());
    block.is_even &= cells.size() == by_column_.size();
  }
  return true;
}

Status RecordMasker::mask_block(const data::RecordReader& reader, Block& block, std::uint64_t first_record,
                                data::RecordWriter& writer) {
  MLOPS_TRY(mask_batches(block));
  const bool by_columns = block.is_even && !consent_.is_asked();  // whom consent leaves out is not looked at
  if (!planned_by_.empty() && !by_columns) return table_changed();
  if (by_columns) begin_columns(block, writer);
  const std::span<const data::Cell> cells(block.cells);
  const std::span<const std::uint32_t> batched(block.batched);
  for (std::size_t i = 0; i < block.records.size(); ++i) {
    const std::size_t begin = block.records[i].begin, count = block.end_of(i) - begin;
    auto kept = block.records[i].kept;
    kept.cells = cells.subspan(begin, count);
    const Place place{reader, kept.cells, first_record + i, batched.subspan(begin, count), by_columns};
    auto outcome = Outcome::kWritten;
    if (by_columns) {
      MLOPS_TRY(even_record(place, block, i));
    } else {
      MLOPS_ASSIGN(outcome, record(place));
    }
    if (outcome == Outcome::kLeftOut) {
      writer.skip(kept);
    } else {
      MLOPS_TRY(writer.write(kept, changes_));
    }
  }
  if (by_columns) discount_codes(block);
  return {};
}

// Masks the cells of columns that gain by many at a time.
Status RecordMasker::mask_batches(Block& block) {
  for (const auto& column : by_column_) column.work->batch.begin();
  block.batched.assign(block.cells.size(), kNotBatched);
  const auto add = [&](std::size_t at) {
    const auto& cell = block.cells[at];
    const auto& column = by_column_[cell.column];
    if (column.is_batched && cell.kind != data::CellKind::kNull) block.batched[at] = column.work->batch.add(cell.text);
  };
  if (block.is_even) {
    for (std::size_t i = 0; i < by_column_.size(); ++i) {
      if (!by_column_[i].is_batched) continue;
      for (std::size_t at = i; at < block.cells.size(); at += by_column_.size()) add(at);
    }
  } else {
    for (std::size_t at = 0; at < block.cells.size(); ++at) add(at);
  }
  for (const auto& column : by_column_) {
    if (column.is_batched) MLOPS_TRY(column.work->mask_batch());
  }
  return {};
}

// Which columns have to be looked at record by record.
void RecordMasker::list_columns() {
  lists_ = {.columns = by_column_.size()};
  for (std::size_t i = 0; i < by_column_.size(); ++i) {
    const auto& work = *by_column_[i].work;
    const auto& column = by_column_[i];
    if (column.is_gathered) lists_.gathered.push_back({i, column.value_kind, column.work->placeholder});
    if (by_column_[i].is_batched) {
      lists_.batched.push_back(i);
    } else if (work.handling == Handling::kRewrite || work.handling == Handling::kRewriteText) {
      lists_.rewritten.push_back(i);
    } else if (work.is_scanned && work.is_open()) {
      lists_.open.push_back(i);
    }
  }
}

// Whatever can be told of the cells without their records.
void RecordMasker::begin_columns(Block& block, const data::RecordWriter& writer) {
  if (lists_.columns != by_column_.size()) list_columns();
  changes_.resize(by_column_.size());
  block.looks.resize(block.cells.size());
  block.is_named.resize(block.records.size());
  for (std::size_t i = 0; i < by_column_.size(); ++i) {
    using Kind = data::Change::Kind;
    auto& work = *by_column_[i].work;
    changes_[i].lent.reset();
    changes_[i].is_plain = false;
    if (by_column_[i].is_batched) {
      changes_[i].kind = Kind::kReplace;
      changes_[i].is_plain = writer.is_plain(work.batch.texts().all());
      count_batched(block, i);
    } else if (work.handling == Handling::kKeep) {
      changes_[i].kind = Kind::kKeep;
      count_kept(block, i);
    } else if (work.handling == Handling::kDrop) {
      changes_[i].kind = Kind::kDrop;
      work.evidence.cells += block.records.size();
      work.evidence.changed += block.records.size();
    }
  }
}

void RecordMasker::count_batched(const Block& block, std::size_t column) {
  auto& work = *by_column_[column].work;
  work.evidence.cells += block.records.size();
  for (std::size_t at = column; at < block.cells.size(); at += by_column_.size()) {
    const auto written = work.batch.masked(block.batched[at]);
    work.evidence.changed += written != block.cells[at].text ? 1 : 0;
    if (!work.is_scanned) continue;
    if (is_placeholder(written)) {
      work.residual.skip();
    } else {
      work.residual.scan(written);
    }
  }
}

void RecordMasker::count_kept(Block& block, std::size_t column) {
  auto& work = *by_column_[column].work;
  work.evidence.cells += block.records.size();
  const CellRun run{block.cells, column, by_column_.size()};
  auto* residual = work.is_scanned ? &work.residual : nullptr;
  if (auto* first = work.planned_by ? work.planned_by : residual) {
    first->scan_run(run, work.planned_by ? residual : nullptr, block.looks);
  }
}

// What is left to do for a record, after begin_columns().
Status RecordMasker::even_record(const Place& place, Block& block, std::size_t record) {
  MLOPS_TRY(gather(place));
  ++records_;
  for (const auto i : lists_.rewritten) MLOPS_TRY(cell(place, i, changes_[i]));
  for (const auto i : lists_.batched) changes_[i].lent = by_column_[i].work->batch.masked(place.batched[i]);
  block.is_named[record] = !lists_.open.empty() && !values_.empty() ? 1 : 0;
  if (block.is_named[record] == 0) return {};
  const auto* looks = &block.looks[block.records[record].begin];
  const int wanted = kWords | kLayers | (values_.has_number_names() ? kShortNumber : kNothing);
  for (const auto i : lists_.open) {
    if ((looks[i] & wanted) != 0) by_column_[i].work->look_for_row(values_, place.cells[i].text, looks[i]);
  }
  return {};
}

// After the last record: how often each code stands in a row of nobody. All of them were counted by the scanners.
void RecordMasker::discount_codes(const Block& block) {
  for (std::size_t record = 0; record < block.records.size(); ++record) {
    if (block.is_named[record] != 0) continue;
    for (const auto i : lists_.open) {
      auto& work = *by_column_[i].work;
      if (work.may_be_coded()) work.discount_code(block.cells[record * by_column_.size() + i].text);
    }
  }
}

}  // namespace mlops::policy
