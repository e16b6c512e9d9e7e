#include "policies/data/csv_records.h"

#include <algorithm>

#include "policies/data/part_source.h"

namespace mlops::data {
namespace {

class CsvRecordWriter : public RecordWriter {
 public:
  CsvRecordWriter(Sink& sink, const CsvReader& reader, const CsvRow& row, std::vector<bool> dropped)
      : reader_(reader), row_(row), writer_(sink, reader.dialect(), std::move(dropped)) {}

  Status begin() { return writer_.write_header(reader_); }

  Status write(std::span<const Change> changes) override {
    writer_.begin_row();
    std::size_t kept = 0;  // cells before this one that are kept and not written yet begin here
    const std::size_t changed = std::min(changes.size(), row_.size());
    for (std::size_t i = 0; i < changed; ++i) {
      const auto& change = changes[i];
      if (change.kind == Change::Kind::kKeep) continue;
      writer_.put_kept(row_, kept, i);
      writer_.put_masked(row_, i, change.kind == Change::Kind::kReplace ? std::string_view(change.text) : "");
      kept = i + 1;
    }
    writer_.put_kept(row_, kept, row_.size());
    return writer_.end_row(row_);
  }

  Status finish() override { return writer_.finish(reader_.trailer()); }

 private:
  const CsvReader& reader_;
  const CsvRow& row_;
  CsvWriter writer_;
};

class CsvRecordReader : public RecordReader {
 public:
  CsvRecordReader(CsvReader reader, Format format) : reader_(std::move(reader)), format_(format) {}
  // Of a part of a table.
  CsvRecordReader(std::unique_ptr<PartSource> source, const CsvReader& whole, std::uint64_t first_line, Format format)
      : part_(std::move(source)), reader_(CsvReader::open_part(*part_, whole, first_line)), format_(format) {}

  Format format() const override { return format_; }
  const std::vector<std::string>& columns() const override { return reader_.header(); }
  const std::vector<Cell>& cells() const override { return cells_; }
  std::uint64_t line() const override { return row_.line(); }
  std::uint64_t records() const override { return reader_.rows(); }

  Result<bool> next() override {
    MLOPS_ASSIGN(const bool more, reader_.next(row_));
    if (!more) {
      cells_.clear();
      return false;
    }
    const std::size_t before = cells_.size();
    cells_.resize(row_.size());
    for (std::size_t i = before; i < cells_.size(); ++i) cells_[i].column = i;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      cells_[i].text = row_.text(i);
      cells_[i].raw = row_.raw(i);
    }
    return true;
  }

  Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) override {
    auto writer = std::make_unique<CsvRecordWriter>(sink, reader_, row_, std::move(dropped));
    if (!part_) MLOPS_TRY(writer->begin());
    return writer;
  }

  std::unique_ptr<RecordParts> parts() override;

 private:
  std::unique_ptr<PartSource> part_;  // null: the reader reads a whole table
  CsvReader reader_;
  Format format_;
  CsvRow row_;
  std::vector<Cell> cells_;
};

class CsvRecordParts : public RecordParts {
 public:
  CsvRecordParts(CsvReader& whole, Format format) : whole_(whole), format_(format) {}

  Result<std::optional<RecordPart>> next() override {
    RecordPart part;
    part.bytes.reserve(kPartBytes + kPartBytes / 8);
    part.first_record = records_;
    std::uint64_t rows = 0;
    MLOPS_ASSIGN(const bool more, whole_.take_rows(kPartBytes, part.bytes, rows, part.first_line));
    records_ += rows;
    return more ? std::optional<RecordPart>(std::move(part)) : std::nullopt;
  }

  // What it takes from the whole table does not change any more.
  Result<std::unique_ptr<RecordReader>> open(const RecordPart& part) const override {
    return std::make_unique<CsvRecordReader>(std::make_unique<PartSource>(part.bytes), whole_, part.first_line,
                                             format_);
  }

 private:
  CsvReader& whole_;
  Format format_;
  std::uint64_t records_ = 0;
};

std::unique_ptr<RecordParts> CsvRecordReader::parts() {
  if (reader_.may_be_ragged()) return nullptr;
  return std::make_unique<CsvRecordParts>(reader_, format_);
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_csv_records(Source& source, const CsvOptions& options, Format format) {
  MLOPS_ASSIGN(auto reader, CsvReader::open(source, options));
  return std::make_unique<CsvRecordReader>(std::move(reader), format);
}

}  // namespace mlops::data
