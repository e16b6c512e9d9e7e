#include "policies/data/records.h"

#include "policies/data/csv_records.h"
#include "policies/data/fhir_records.h"
#include "policies/data/format.h"
#include "policies/data/head_source.h"
#include "policies/data/text_records.h"

namespace mlops::data {
namespace {

constexpr std::size_t kHeadBytes = 64u << 10;

// Keeps the sources a reader reads through alive with it.
class OwningReader : public RecordReader {
 public:
  explicit OwningReader(Source& source) : head_(source) {}
  HeadSource& head() { return head_; }
  void adopt(std::unique_ptr<RecordReader> inner) { inner_ = std::move(inner); }

  Format format() const override { return inner_->format(); }
  const std::vector<std::string>& columns() const override { return inner_->columns(); }
  ColumnKind column_kind(std::size_t column) const override { return inner_->column_kind(column); }
  Result<bool> next() override { return inner_->next(); }
  const std::vector<Cell>& cells() const override { return inner_->cells(); }
  const std::vector<std::string>& new_keys() const override { return inner_->new_keys(); }
  std::uint64_t line() const override { return inner_->line(); }
  std::uint64_t records() const override { return inner_->records(); }
  Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) override {
    return inner_->writer(sink, std::move(dropped));
  }

 private:
  HeadSource head_;
  std::unique_ptr<RecordReader> inner_;
};

Result<std::unique_ptr<RecordReader>> open_as(Format format, Source& source, const RecordOptions& options) {
  switch (format) {
    case Format::kCsv:
      return open_csv_records(source, options.csv, format);
    case Format::kTsv: {
      auto csv = options.csv;
      if (!csv.delimiter) csv.delimiter = '\t';
      return open_csv_records(source, csv, format);
    }
    case Format::kJson:
    case Format::kJsonLines:
      return open_json_records(source, options.json, format);
    case Format::kFhir:
    case Format::kFhirLines:
      return open_fhir_records(source, options.json, format);
    case Format::kText:
      return open_text_records(source);
    case Format::kUnknown:
      break;
  }
  return fail(ErrorCode::kInvalid, "format_unknown", "the file is of no format that can be read record by record",
              "say which it is: csv, tsv, json, jsonl, fhir, fhir-ndjson or text");
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_records(Source& source, const RecordOptions& options) {
  auto reader = std::make_unique<OwningReader>(source);
  MLOPS_ASSIGN(const auto head, reader->head().look(kHeadBytes));
  const Format format = options.format ? *options.format : format_of(options.path, head);
  MLOPS_ASSIGN(auto inner, open_as(format, reader->head(), options));
  reader->adopt(std::move(inner));
  return reader;
}

}  // namespace mlops::data
