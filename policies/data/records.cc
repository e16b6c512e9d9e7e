#include "policies/data/records.h"

#include "policies/data/csv_records.h"
#include "policies/data/fhir_records.h"
#include "policies/data/format.h"
#include "policies/data/head_source.h"

namespace mlops::data {
namespace {

constexpr std::size_t kHeadBytes = 256u << 10;

// Writes through an encoding.
class EncodedWriter : public RecordWriter {
 public:
  EncodedWriter(Sink& sink, Encoding encoding) : sink_(sink, encoding) {}
  Sink& sink() { return sink_; }
  void adopt(std::unique_ptr<RecordWriter> inner) { inner_ = std::move(inner); }

  Status write(std::span<const Change> changes) override { return inner_->write(changes); }
  void skip() override { inner_->skip(); }
  Status finish() override {
    MLOPS_TRY(inner_->finish());
    return sink_.finish();
  }

 private:
  EncodingSink sink_;
  std::unique_ptr<RecordWriter> inner_;
};

// Keeps the sources a reader reads through alive with it.
class OwningReader : public RecordReader {
 public:
  explicit OwningReader(Source& source) : head_(source) {}
  HeadSource& head() { return head_; }
  Source& decoded(Encoding encoding, Trust trust) {
    encoding_ = encoding;
    if (encoding == Encoding::kUtf8) return head_;
    decoding_ = std::make_unique<DecodingSource>(head_, encoding, trust);
    return *decoding_;
  }
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
    if (encoding_ == Encoding::kUtf8) return inner_->writer(sink, std::move(dropped));
    auto writer = std::make_unique<EncodedWriter>(sink, encoding_);
    MLOPS_ASSIGN(auto inner, inner_->writer(writer->sink(), std::move(dropped)));
    writer->adopt(std::move(inner));
    return writer;
  }
  std::unique_ptr<RecordParts> parts() override { return encoding_ == Encoding::kUtf8 ? inner_->parts() : nullptr; }

 private:
  HeadSource head_;
  Encoding encoding_ = Encoding::kUtf8;
  std::unique_ptr<DecodingSource> decoding_;
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
      return open_text_records(source, options.text);
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
  // What is packed or binary is no text in any encoding.
  const bool is_foreign = !options.format && !options.encoding && has_foreign_magic(head);
  if (is_foreign) return open_as(Format::kUnknown, source, options);
  auto encoding =
      options.encoding ? Result<Encoding>(*options.encoding) : detect_encoding(head, head.size() < kHeadBytes);
  if (!encoding) return fail(std::move(encoding.error()));
  const Format format = options.format ? *options.format : format_of(options.path, decode_head(head, *encoding));
  auto& decoded = reader->decoded(*encoding, options.encoding ? Trust::kDeclared : Trust::kDetected);
  MLOPS_ASSIGN(auto inner, open_as(format, decoded, options));
  reader->adopt(std::move(inner));
  return reader;
}

}  // namespace mlops::data
