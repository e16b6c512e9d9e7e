#include "daemon/domain/label_scan.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "daemon/domain/blob_streams.h"
#include "policies/data/file_place.h"
#include "policies/data/records.h"
#include "policies/engine/classes.h"
#include "policies/engine/scan_dataset.h"

namespace mlops::domain {
namespace {

constexpr double kSure = 0.8;
constexpr std::uint64_t kFewestCells = 3;  // that a detector has to find something in
constexpr std::uint64_t kFewestTexts = 2;  // the same of free text, where a chance find is rarer

// One of these in the values of a column tells who somebody is. What identifies only in combination (dates, places) is
// in too many harmless tables.
constexpr std::array<std::string_view, 12> kDirect{"person_name", "street_address", "phone",       "fax",
                                                   "email",       "us_ssn",         "us_itin",     "us_mbi",
                                                   "iban",        "credit_card",    "national_id", "imei"};
// Keys of people. A pseudonym looks like one, so they say something only beside one of the others.
constexpr std::array<std::string_view, 9> kKeys{"mrn",      "patient_id", "health_plan_id", "drivers_license",
                                                "passport", "cookie_id",  "bank_account",   "biometric",
                                                "genetic"};
constexpr std::array<std::string_view, 8> kHealth{"mrn",   "us_mbi", "health_plan_id", "health",
                                                  "icd10", "snomed", "genetic",        "patient_id"};
// What stands in free text so that its form proves it.
constexpr std::array<std::string_view, 7> kInText{"email", "us_ssn", "phone", "mrn", "credit_card", "iban", "us_mbi"};

template <std::size_t kSize>
bool is_in(const std::array<std::string_view, kSize>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// At most so many bytes of a file; reading stops before the file does.
class SampleSource : public data::Source {
 public:
  SampleSource(const blob::BlobReader& reader, std::uint64_t limit) : reader_(reader), limit_(limit) {}
  Result<std::size_t> read(std::span<char> into) override {
    const auto left = limit_ - offset_;
    const auto want = std::min<std::uint64_t>(left, into.size());
    if (want == 0) return std::size_t{0};
    MLOPS_ASSIGN(const auto count, reader_.read_at(offset_, {reinterpret_cast<std::uint8_t*>(into.data()),
                                                             static_cast<std::size_t>(want)}));
    offset_ += count;
    return count;
  }
  bool is_cut() const { return offset_ == limit_ && limit_ < reader_.size_bytes(); }

 private:
  const blob::BlobReader& reader_;
  const std::uint64_t limit_;
  std::uint64_t offset_ = 0;
};

// The first records; the one that the sample's end cuts in two is none.
class SampleReader : public data::RecordReader {
 public:
  SampleReader(data::RecordReader& inner, const SampleSource& source, std::uint64_t limit)
      : inner_(inner), source_(source), limit_(limit) {}
  data::Format format() const override { return inner_.format(); }
  const std::vector<std::string>& columns() const override { return inner_.columns(); }
  data::ColumnKind column_kind(std::size_t column) const override { return inner_.column_kind(column); }
  Result<bool> next() override {
    if (inner_.records() >= limit_) return false;
    auto more = inner_.next();
    if (!more && source_.is_cut()) return false;
    return more;
  }
  const std::vector<data::Cell>& cells() const override { return inner_.cells(); }
  const std::vector<std::string>& new_keys() const override { return inner_.new_keys(); }
  std::uint64_t line() const override { return inner_.line(); }
  std::uint64_t records() const override { return inner_.records(); }
  Result<std::unique_ptr<data::RecordWriter>> writer(data::Sink&, std::vector<bool>) override {
    return fail(ErrorCode::kInternal, "sample_read_only", "a sample is not written");
  }

 private:
  data::RecordReader& inner_;
  const SampleSource& source_;
  const std::uint64_t limit_;
};

void judge(const policy::ColumnProfile& column, LabelScan& scan, std::set<std::string>& keys) {
  if (is_in(kHealth, column.class_name) && column.confidence >= kSure) scan.has_health = true;
  if (policy::class_of(column.class_name).kind == policy::ClassKind::kText) {
    for (const auto& one : column.evidence) {
      const auto name = detect::class_of_detector(one.detector);
      if (one.cells >= kFewestTexts && is_in(kInText, name)) scan.classes.insert(std::string(name));
    }
    return;
  }
  const auto most = column.evidence.empty() ? 0 : column.evidence.front().cells;
  if (column.confidence < kSure || most < kFewestCells) return;
  const bool is_direct = is_in(kDirect, column.class_name) || policy::broader_class(column.class_name) == "national_id";
  if (is_direct) scan.classes.insert(column.class_name);
  if (is_in(kKeys, column.class_name)) keys.insert(column.class_name);
}

Status scan_one(cas::ContentStore& content, const model::FileEntry& file, const LabelScanOptions& options,
                LabelScan& scan, std::set<std::string>& keys) {
  MLOPS_ASSIGN(const auto blob, content.open_blob(file.digest));
  SampleSource source(*blob, std::min(options.bytes_max, blob->size_bytes()));
  const auto reader = data::open_records(source, {.path = file.path, .format = {}, .csv = {}});
  if (!reader) return {};
  SampleReader sample(**reader, source, options.records_max);
  const auto profile = policy::scan_file(data::table_name(file.path), sample);
  if (!profile) return {};
  ++scan.files;
  scan.records += profile->records;
  const auto format = (*reader)->format();
  const bool is_fhir = format == data::Format::kFhir || format == data::Format::kFhirLines;
  if (is_fhir && profile->records > 0) scan.has_health = true;
  for (const auto& column : profile->columns) judge(column, scan, keys);
  return {};
}

std::set<std::string> words_of(const Labels& labels, std::string_view name) {
  std::set<std::string> words;
  const auto known = labels.find(std::string(name));
  if (known == labels.end()) return words;
  for (const auto word : split(known->second, ' ')) {
    if (!word.empty()) words.emplace(word);
  }
  return words;
}

void put(Labels& labels, std::string_view name, const std::set<std::string>& words) {
  if (!words.empty()) labels[std::string(name)] = join(std::vector<std::string>(words.begin(), words.end()), " ");
}

}  // namespace

std::optional<LabelScanOptions::Mode> scan_mode_from_word(std::string_view word) {
  using Mode = LabelScanOptions::Mode;
  constexpr std::pair<std::string_view, Mode> kWords[] = {
      {"off", Mode::kOff}, {"label", Mode::kLabel}, {"raise", Mode::kRaise}};
  for (const auto& [name, mode] : kWords) {
    if (name == word) return mode;
  }
  return std::nullopt;
}

model::Sensitivity LabelScan::least() const {
  if (classes.empty()) return model::Sensitivity::kNone;
  return has_health ? model::Sensitivity::kSpecialCategory : model::Sensitivity::kPersonal;
}

Labels LabelScan::labels() const {
  Labels labels;
  put(labels, kContainsPii, classes);
  if (has_health) put(labels, kContainsPhi, classes);
  return labels;
}

Result<LabelScan> scan_labels(cas::ContentStore& content, const std::vector<model::FileEntry>& files,
                              const LabelScanOptions& options) {
  LabelScan scan;
  std::set<std::string> keys;
  const auto count = std::min(files.size(), options.files_max);
  for (std::size_t i = 0; i < count; ++i) {
    MLOPS_TRY(scan_one(content, files[i * files.size() / count], options, scan, keys));
  }
  if (!scan.classes.empty()) scan.classes.merge(keys);
  return scan;
}

void inherit_labels(Labels& into, const Labels& input) {
  for (const auto name : {kContainsPii, kContainsPhi}) {
    auto words = words_of(into, name);
    words.merge(words_of(input, name));
    put(into, name, words);
  }
}

Labels labels_after_masking(const Labels& source, const Json& evidence) {
  std::set<std::string> treated;
  if (evidence.contains("columns")) {
    for (const auto& column : evidence.at("columns")) {
      if (column.value("transform", "keep") == "keep") continue;
      treated.insert(column.value("class", ""));
    }
  }
  Labels left;
  for (const auto name : {kContainsPii, kContainsPhi}) {
    auto words = words_of(source, name);
    std::erase_if(words, [&](const auto& word) {
      return treated.contains(word) || treated.contains(std::string(policy::broader_class(word))) ||
             (treated.contains(std::string(policy::kFreeText)) && is_in(kInText, word));
    });
    put(left, name, words);
  }
  return left;
}

}  // namespace mlops::domain
