// Masks record after record of one file, or of a part of it, and scans everything that is written. Private to
// policies/engine. Thread-safety: belongs to one thread; several maskers may work on parts of one file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "policies/data/record.h"
#include "policies/engine/column_work.h"
#include "policies/engine/consent.h"
#include "policies/engine/row_values.h"

namespace mlops::policy {

class RecordMasker {
 public:
  // All of it is borrowed and outlives the masker.
  RecordMasker(const Policy::Body& body, const FilePlan& plan, const mask::RunSecrets& secrets,
               const std::string& dataset);

  // Scans what is kept by these as well, by the reader's columns, for the plan that is decided from all records: until
  // then whether a column is coded is open. nullptr: a column that is not kept. REQUIRES: of a table whose rows have
  // all columns, without consent to ask for; before each run().
  void plan_along(std::vector<CellScanner*> scanners) { planned_by_ = std::move(scanners); }
  // Makes ready for the columns the reader knows by now, so that a key that cannot be had stops a run before it writes.
  Status prepare(const data::RecordReader& reader);
  // Masks what `reader` has left. `first_record`: how many records of the file stand before it.
  // Errors: kConflict "table_changed" when a column is not in the plan; kRefused "file_name_holds_data",
  // "consent_not_by_record"; those of reader, writer, keys and vault.
  Status run(data::RecordReader& reader, data::RecordWriter& writer, std::uint64_t first_record = 0);

  // By the plan's columns; nullptr: no record had it.
  const std::vector<std::unique_ptr<ColumnWork>>& works() const { return works_; }
  std::uint64_t records() const { return records_; }  // written
  // Those that lack the consent the policy asks for, written or not.
  std::uint64_t without_consent() const { return without_consent_; }
  // Takes over what `other` counted.
  void add(RecordMasker&& other);

 private:
  // Of the current reader.
  struct Column {
    ColumnWork* work = nullptr;
    bool is_markup = false;
    bool is_batched = false;
    bool is_gathered = false;  // its cells identify the record's person
    RowValues::Kind value_kind;
  };
  // Of a table's columns, by their index, those that are
  struct Lists {
    std::size_t columns = 0;  // told apart
    std::vector<std::size_t> batched;
    std::vector<RowValues::Source> gathered;  // they identify their record's person
    std::vector<std::size_t> rewritten;       // cell by cell
    std::vector<std::size_t> open;            // kept, and asked for identifiers of their record
  };
  struct Block;
  struct Place;  // a record, its cells and where in the file it is
  enum class Outcome { kWritten, kLeftOut };
  Status take_new_columns(const data::RecordReader& reader);
  Status run_blocks(data::RecordReader& reader, data::RecordWriter& writer, std::uint64_t first_record);
  Result<bool> fill(data::RecordReader& reader, Block& block);
  Status mask_block(const data::RecordReader& reader, Block& block, std::uint64_t first_record,
                    data::RecordWriter& writer);
  Status mask_batches(Block& block);
  void list_columns();
  void begin_columns(Block& block, const data::RecordWriter& writer);
  void count_batched(const Block& block, std::size_t column);
  void count_kept(Block& block, std::size_t column);
  Status even_record(const Place& place, Block& block, std::size_t record);
  void discount_codes(const Block& block);
  Result<Outcome> record(const Place& place);
  Status gather(const Place& place);
  Status cell(const Place& place, std::size_t index, data::Change& out);
  Status rewrite_text(ColumnWork& work, std::string_view in, const mask::CellContext& at, std::string& out);
  Result<std::string> treat(const ColumnWork& work, std::string_view text, const mask::CellContext& at) const;
  Result<bool> hides(const ColumnWork& work, std::string_view in, std::string_view masked,
                     const mask::CellContext& at) const;
  void scan_written(const data::Cell& in, bool is_markup, ColumnWork& work, const data::Change& out);

  const Policy::Body& body_;
  const FilePlan& plan_;
  const mask::RunSecrets& secrets_;
  const std::string& dataset_;
  std::string file_words_;  // of the file's name
  std::unordered_map<std::string, std::size_t> planned_;
  bool has_open_columns_ = false;
  std::vector<std::unique_ptr<ColumnWork>> works_;
  std::vector<CellScanner*> planned_by_;  // by the reader's columns; empty: the plan stands
  std::vector<Column> by_column_;
  Lists lists_;
  std::vector<data::Change> changes_;
  RowValues values_;
  ConsentCheck consent_;
  std::uint64_t records_ = 0;
  std::uint64_t without_consent_ = 0;
};

}  // namespace mlops::policy
