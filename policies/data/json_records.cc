#include "policies/data/json_records.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "policies/data/json_line_parts.h"
#include "policies/data/json_reader.h"

namespace mlops::data {
namespace {

constexpr std::size_t kFlushBytes = 256u << 10;
constexpr std::size_t kMaskedShare = 2;  // of a part's bytes, what is made ready for what becomes of them

}  // namespace

class JsonRecordWriter : public RecordWriter {
 public:
  JsonRecordWriter(Sink& sink, const JsonRecordReader& reader, std::vector<bool> dropped)
      : sink_(sink), reader_(reader), dropped_(std::move(dropped)) {
    buffer_.reserve(reader.part_bytes_ * kMaskedShare);
    if (std::find(dropped_.begin(), dropped_.end(), true) == dropped_.end()) dropped_.clear();
  }

  Status write(std::span<const Change> changes) override {
    const auto& framer = reader_.framer_;
    const bool is_value = framer.part() == JsonPart::kValue;
    buffer_.append(is_value && lead_ ? std::string_view(*lead_) : framer.gap());
    lead_.reset();
    follows_value_ = is_value;
    MLOPS_TRY(rewrite_json(framer.record(), framer.part(), CellChanges(reader_.cells(), changes, dropped_),
                           reader_.prune_, buffer_));
    if (buffer_.size() < kFlushBytes) return {};
    MLOPS_TRY(sink_.write(buffer_));
    buffer_.clear();
    return {};
  }

  Status write(const KeptRecord& record, std::span<const Change> changes) override {
    buffer_.append(lead_ ? std::string_view(*lead_) : record.lead);
    lead_.reset();
    follows_value_ = true;
    return rewrite_json(record.bytes, JsonPart::kValue, CellChanges(record.cells, changes, dropped_), reader_.prune_,
                        buffer_);
  }

  // What stands before the first value opens the array; what stands between two holds a comma.
  void skip() override {
    if (!follows_value_ && !lead_) lead_ = reader_.framer_.gap();
  }
  void skip(const KeptRecord& record) override {
    if (!follows_value_ && !lead_) lead_ = record.lead;
  }

  Status finish() override {
    if (lead_) buffer_.append(*lead_);
    lead_.reset();
    buffer_.append(reader_.framer_.gap());
    if (!buffer_.empty()) MLOPS_TRY(sink_.take(std::exchange(buffer_, {})));
    return {};
  }

 private:
  Sink& sink_;
  const JsonRecordReader& reader_;
  std::vector<bool> dropped_;
  std::string buffer_;
  std::optional<std::string> lead_;  // of the values left out since the array began
  bool follows_value_ = false;
};

JsonRecordReader::JsonRecordReader(Source& source, const JsonOptions& options, Setup setup)
    : source_(&source),
      options_(options),
      format_(setup.format),
      prune_(setup.prune),
      paths_(std::move(setup.naming), options.max_columns),
      scanner_(paths_, options.max_depth),
      framer_(source, setup.framing, options.max_record_bytes, setup.first_line),
      may_be_empty_(setup.framing == JsonFraming::kLines) {}

JsonRecordReader::JsonRecordReader(std::string_view bytes, const JsonOptions& options, Setup setup)
    : source_(nullptr),
      part_bytes_(bytes.size()),
      options_(options),
      format_(setup.format),
      prune_(setup.prune),
      paths_(std::move(setup.naming), options.max_columns),
      scanner_(paths_, options.max_depth, JsonScanner::Keeps::kAll),
      framer_(bytes, setup.framing, options.max_record_bytes, setup.first_line),
      may_be_empty_(setup.framing == JsonFraming::kLines) {}

// Parts of a bundle lie where they would if the bundle were read as one.
PathNode* JsonRecordReader::place() {
  if (framer_.part() == JsonPart::kValue && !framer_.is_entry()) return &paths_.root();
  PathNode* const bundle = paths_.resource("Bundle");
  return framer_.is_entry() && bundle ? paths_.child(*bundle, "entry") : bundle;
}

Result<bool> JsonRecordReader::next() {
  MLOPS_ASSIGN(const bool more, framer_.next());
  if (!more) {
    if (records_ == 0 && !may_be_empty_ && !framer_.holds_array()) {
      return fail(ErrorCode::kInvalid, "json_empty", "1:1: the file holds no value");
    }
    scanner_.clear();
    return false;
  }
  PathNode* const at = place();
  if (!at) return framer_.error_at(0, "json_too_many_columns", "the file has too many different keys");
  if (!scanner_.scan(framer_.record(), *at, framer_.part())) return framer_.record_error(scanner_.problem());
  ++records_;
  return true;
}

Result<std::unique_ptr<RecordWriter>> JsonRecordReader::writer(Sink& sink, std::vector<bool> dropped) {
  return std::make_unique<JsonRecordWriter>(sink, *this, std::move(dropped));
}

std::unique_ptr<RecordParts> JsonRecordReader::parts() {
  if (format_ != Format::kJsonLines || !source_) return nullptr;
  return std::make_unique<JsonLineParts>(*source_, options_);
}

Result<std::unique_ptr<RecordReader>> open_json_records(Source& source, const JsonOptions& options, Format format) {
  JsonRecordReader::Setup setup;
  setup.format = format;
  setup.framing = format == Format::kJsonLines ? JsonFraming::kLines : JsonFraming::kValues;
  setup.naming = std::make_unique<PointerNaming>();
  return std::make_unique<JsonRecordReader>(source, options, std::move(setup));
}

}  // namespace mlops::data
