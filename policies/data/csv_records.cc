#include "policies/data/csv_records.h"

#include <algorithm>

#include "policies/data/part_size.h"

namespace mlops::data {
namespace {

constexpr std::size_t kMaskedShare = 3;  // of a part's bytes, what is made ready for what becomes of them

class CsvRecordWriter : public RecordWriter {
 public:
  CsvRecordWriter(Sink& sink, const CsvReader& reader, const CsvRow& row, std::vector<bool> dropped)
      : reader_(reader), row_(row), writer_(sink, reader.dialect(), std::move(dropped)) {}

  void hold(std::size_t expected_bytes) { writer_.hold(expected_bytes); }
  Status begin() { return writer_.write_header(reader_); }

  Status write(std::span<const Change> changes) override { return write(row_.cells(), row_.line_end(), changes); }
  Status write(const KeptRecord& record, std::span<const Change> changes) override {
    return write(record.cells, record.end, changes);
  }

  bool is_plain(std::string_view values) const override { return !writer_.needs_quotes(values); }
  Status finish() override { return writer_.finish(reader_.trailer()); }

 private:
  Status write(std::span<const Cell> cells, std::string_view line_end, std::span<const Change> changes) {
    writer_.begin_row();
    std::size_t kept = 0;  // cells before this one that are kept and not written yet begin here
    const std::size_t changed = std::min(changes.size(), cells.size());
    for (std::size_t i = 0; i < changed; ++i) {
      const auto& change = changes[i];
      if (change.kind == Change::Kind::kKeep) continue;
      writer_.put_kept(cells.subspan(kept, i - kept));
      writer_.put_masked(cells[i], change.kind == Change::Kind::kReplace ? change.value() : "", change.is_plain);
      kept = i + 1;
    }
    writer_.put_kept(cells.subspan(kept));
    return writer_.end_row(line_end);
  }

  const CsvReader& reader_;
  const CsvRow& row_;
  CsvWriter writer_;
};

class CsvRecordReader : public RecordReader {
 public:
  CsvRecordReader(CsvReader reader, Format format) : reader_(std::move(reader)), format_(format) {}
  // Of a part of a table.
  CsvRecordReader(const RecordPart& part, const CsvReader& whole, Format format)
      : is_part_(true),
        part_bytes_(part.bytes.size()),
        reader_(CsvReader::open_part(part.bytes, whole, part.first_line)),
        format_(format) {}

  Format format() const override { return format_; }
  const std::vector<std::string>& columns() const override { return reader_.header(); }
  const std::vector<Cell>& cells() const override { return row_.cells(); }
  bool keeps_records() const override { return is_part_; }
  KeptRecord kept() const override { return {{}, {}, {}, row_.line_end()}; }
  std::uint64_t line() const override { return row_.line(); }
  std::uint64_t records() const override { return reader_.rows(); }

  Result<bool> next() override { return reader_.next(row_); }

  Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) override {
    auto writer = std::make_unique<CsvRecordWriter>(sink, reader_, row_, std::move(dropped));
    if (is_part_) {
      writer->hold(part_bytes_ * kMaskedShare);
    } else {
      MLOPS_TRY(writer->begin());
    }
    return writer;
  }

  std::unique_ptr<RecordParts> parts() override;

 private:
  bool is_part_ = false;
  std::size_t part_bytes_ = 0;
  CsvReader reader_;
  Format format_;
  CsvRow row_;
};

class CsvRecordParts : public RecordParts {
 public:
  CsvRecordParts(CsvReader& whole, Format format) : whole_(whole), format_(format) {}

  using RecordParts::next;
  // What is wrong behind some rows is told after they were given.
  Result<std::optional<RecordPart>> next(std::string memory) override {
    if (failed_) return fail(*failed_);
    RecordPart part;
    part.bytes = std::move(memory);
    part.bytes.clear();
    part.bytes.reserve(kPartBytes + kPartBytes / 8);
    part.first_record = records_;
    std::uint64_t rows = 0;
    const auto more = whole_.take_rows(kPartBytes, part.bytes, rows, part.first_line);
    records_ += rows;
    if (!more) failed_ = more.error();
    if (failed_ && rows == 0) return fail(*failed_);
    return rows > 0 ? std::optional<RecordPart>(std::move(part)) : std::nullopt;
  }

  // What it takes from the whole table does not change any more.
  Result<std::unique_ptr<RecordReader>> open(const RecordPart& part) const override {
    return std::make_unique<CsvRecordReader>(part, whole_, format_);
  }

 private:
  CsvReader& whole_;
  Format format_;
  std::uint64_t records_ = 0;
  std::optional<Error> failed_;
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
