#include "policies/engine/cell_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/text.h"
#include "policies/data/cell_shape.h"
#include "policies/data/decode.h"
#include "policies/data/format.h"
#include "policies/engine/row_values.h"

namespace mlops::policy {
namespace {

constexpr std::size_t kMostKnownValues = 256;
constexpr std::size_t kLongestKnownValue = 64;
constexpr std::uint64_t kRowsPerCode = 10;  // a code stands in this many rows on average
constexpr int kWordsOfText = 5;
// A bare number this long, found with this much certainty, counts without the column's name.
constexpr std::size_t kLongNumber = 9;
constexpr double kSure = 0.8;
constexpr std::string_view kUrl = "url";
constexpr std::string_view kPersonName = "person_name";
// From this score on the words of a name are taken for somebody's.
constexpr double kNamesSomebody = 0.5;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_long_integer(std::string_view cell) {
  return cell.size() >= kLongNumber && std::all_of(cell.begin(), cell.end(), is_digit);
}

bool is_bracketed_word(std::string_view cell) {
  if (cell.size() < 3 || cell.front() != '[' || cell.back() != ']') return false;
  const auto inner = cell.substr(1, cell.size() - 2);
  return std::all_of(inner.begin(), inner.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || c == ' ' || c == '-'; });
}

std::uint8_t look_at(std::string_view cell) {
  const auto words = cell.size() >= kShortestStanding ? kWords : kNothing;
  return static_cast<std::uint8_t>(words | (data::may_hold_layers(cell) ? kLayers : kNothing));
}

// Of a bare number of at most ShortText::kLongest characters: what may_hold_layers() says of more is all that base64
// can be, and a point is none of its signs.
std::uint8_t look_at_number(const ShortText& number) {
  constexpr std::size_t kShortestLayer = 8;
  if (number.size < kShortestStanding) return kNothing;
  const std::size_t digits = number.size - (number.has_point() ? 1 : 0);
  if (digits < kShortestNumberStanding) return kShortNumber;
  return static_cast<std::uint8_t>(kWords | (digits >= kShortestLayer ? kLayers : kNothing));
}

std::vector<const detect::Detector*> of_names(const std::vector<ActiveDetector>& active) {
  std::vector<const detect::Detector*> list;
  for (const auto& one : active) {
    if (one.detector->id() == kPersonName) list.push_back(one.detector);
  }
  return list;
}

// "jane_roe" → "Jane Roe"
std::string words_of(std::string_view name) {
  std::string words(name);
  bool begins = true;
  for (char& c : words) {
    if (c == '_') c = ' ';
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == ' ';
  }
  return words;
}

}  // namespace

NameCheck::NameCheck(const std::vector<ActiveDetector>& active, std::function<bool(std::string_view)> declares)
    : declares_(std::move(declares)), words_(of_names(active)) {
  std::copy_if(active.begin(), active.end(), std::back_inserter(active_),
               [](const ActiveDetector& one) { return one.detector->decides_by_value(); });
}

// `is_address`: the text is the address of a definition, as FHIR names its extensions; that it is one says nothing.
bool NameCheck::holds_data(std::string_view name, bool is_address) const {
  if (declares_(name)) return false;
  std::vector<detect::Span> spans;
  for (const auto& one : active_) {
    if (is_address && one.detector->id() == kUrl) continue;
    spans.clear();
    one.detector->find(name, {}, spans);
    for (const auto& span : spans) {
      if (span.score >= one.min_score) return true;
    }
  }
  if (is_address) return false;
  std::vector<detect::TypedSpan> found;
  words_.scan(words_of(name), found);
  return std::any_of(found.begin(), found.end(),
                     [](const detect::TypedSpan& one) { return one.span.score >= kNamesSomebody; });
}

Status NameCheck::check(const data::RecordReader& reader, std::size_t from) const {
  if (!data::is_table(reader.format())) {
    const bool is_fhir = data::is_fhir(reader.format());
    for (const auto& key : reader.new_keys()) {
      if (!holds_data(key, is_fhir && key.starts_with("http"))) continue;
      return fail(ErrorCode::kRefused, "key_holds_data",
                  fmt::format("line {}: the name of a JSON member holds personal data", reader.line()),
                  "make it a value: {\"id\": …} instead of the id as a key");
    }
    return {};
  }
  for (std::size_t i = from; i < reader.columns().size(); ++i) {
    if (!holds_data(reader.columns()[i])) continue;
    return fail(ErrorCode::kRefused, "header_missing",
                "the first row holds personal data: the table seems to have no header",
                fmt::format("add a header row with the column names; if column {} is truly called so, declare it in a "
                            "policy",
                            i + 1));
  }
  return {};
}

bool decides_when_dense(const detect::Detector& detector) {
  return detector.id() == kPersonName;
}

std::vector<ColumnDetector> detectors_for(const std::vector<ActiveDetector>& active, std::string_view column) {
  std::vector<ColumnDetector> list;
  for (const auto& one : active) {
    const double name_score = one.detector->column_name_score(column);
    if (one.detector->decides_by_value() || decides_when_dense(*one.detector) || name_score >= kNameAgrees) {
      list.push_back({one.detector, one.min_score, name_score});
    }
  }
  return list;
}

bool is_placeholder(std::string_view cell) {
  cell = trim(cell);
  constexpr std::size_t kYearDigits = 4;
  if (cell.empty() || is_bracketed_word(cell)) return true;
  if (cell.back() == '+') cell.remove_suffix(1);
  return cell.size() <= kYearDigits && std::all_of(cell.begin(), cell.end(), is_digit);
}

CellScanner::CellScanner(std::vector<ColumnDetector> detectors, std::string column)
    : detectors_(std::move(detectors)), column_(std::move(column)), hits_(detectors_.size()) {
  std::vector<const detect::Detector*> rest;
  for (std::uint32_t i = 0; i < detectors_.size(); ++i) {
    if (!column_.empty() && detectors_[i].name_score >= kNameAgrees) {
      named_.push_back(i);
      continue;
    }
    others_.emplace(detectors_[i].detector, i);
    rest.push_back(detectors_[i].detector);
  }
  if (!rest.empty()) scanner_.emplace(rest);
}

CellScanner scanner_for(const std::vector<ActiveDetector>& active, const std::string& column, NameKind kind) {
  const std::string name = kind == NameKind::kHeader ? column : std::string{};
  auto detectors = detectors_for(active, name);
  if (kind == NameKind::kStandardCode) {
    std::erase_if(detectors, [](const ColumnDetector& one) { return one.detector->id() == kUrl; });
  }
  return CellScanner(std::move(detectors), name);
}

void CellScanner::find_named(std::string_view cell, Found& found) const {
  const detect::Context context{column_};
  for (const auto i : named_) {
    const auto& one = detectors_[i];
    spans_.clear();
    one.detector->find(cell, context, spans_);
    const bool any = std::any_of(spans_.begin(), spans_.end(),
                                 [&](const detect::Span& span) { return span.score >= one.min_score; });
    if (any) found.detectors.push_back(i);
  }
}

void CellScanner::find_others(std::string_view text, double least, Found& found) const {
  if (!scanner_) return;
  typed_spans_.clear();
  scanner_->scan(text, typed_spans_);
  for (const auto& one : typed_spans_) {
    const auto index = others_.at(one.detector);
    if (one.span.score < std::max(least, detectors_[index].min_score)) continue;
    if (std::find(found.detectors.begin(), found.detectors.end(), index) == found.detectors.end()) {
      found.detectors.push_back(index);
    }
  }
}

CellScanner::Found CellScanner::find(std::string_view cell) const {
  Found found;
  const auto value = trim(cell);
  find_named(cell, found);
  const bool bare = data::number_shape(value) != data::NumberShape::kNone;
  if (bare && !is_long_integer(value)) return found;
  find_others(cell, bare ? kSure : 0, found);
  if (bare || !data::may_hold_layers(cell)) return found;
  const auto decoded = data::decode_layers(cell);
  for (const auto& layer : decoded.layers) find_others(layer.text, 0, found);
  found.is_unreadable = decoded.refused;
  return found;
}

bool CellScanner::finds_in(std::string_view text) const {
  Found found;
  find_others(text, 0, found);
  return !found.detectors.empty();
}

std::size_t CellScanner::count(const Found& found) {
  for (const auto index : found.detectors) ++hits_[index];
  unreadable_ += found.is_unreadable ? 1 : 0;
  return found.detectors.size();
}

std::size_t CellScanner::scan(std::string_view cell) {
  if (cell.size() > ShortText::kLongest) return scan_whole(cell);
  const auto text = ShortText::of(cell);
  // What find() says of a bare number without looking further.
  const bool is_number = skips_numbers() && text.is_plain_number();
  if (is_number && (cell.size() < kLongNumber || text.has_point())) {
    ++cells_;
    ++filled_;
    return 0;
  }
  // Whatever was scanned before has its place among the known values, while those count.
  if (const auto* clean = clean_.find(text)) {
    ++cells_;
    filled_ += clean->is_filled;
    wordy_ += clean->is_wordy;
    return 0;
  }
  const auto filled = filled_, wordy = wordy_, unreadable = unreadable_;
  const auto found = scan_whole(cell);
  if (found == 0 && unreadable_ == unreadable) {
    const auto forget = [this](const ShortText& other, const Clean& clean) { add_rows(other.text(), clean.rows); };
    clean_.put(text, forget) = {.is_filled = filled_ != filled, .is_wordy = wordy_ != wordy, .look = look_at(cell)};
  }
  return found;
}

// With what is known of a cell for both, no detector is asked.
void CellScanner::scan_run(const CellRun& run, CellScanner* also, std::span<std::uint8_t> looks) {
  std::uint64_t known = 0, filled = 0, wordy = 0;
  const auto skips_numbers_of_all = [&] { return skips_numbers() && (!also || also->skips_numbers()); };
  bool skips = skips_numbers_of_all();
  for (std::size_t at = run.first; at < run.cells.size(); at += run.step) {
    const auto cell = run.cells[at].text;
    if (cell.size() > ShortText::kLongest) {
      looks[at] = scan_for_both(cell, also);
      skips = skips_numbers_of_all();
      continue;
    }
    const auto text = ShortText::of(cell);
    if (skips && text.is_plain_number() && (cell.size() < kLongNumber || text.has_point())) {
      ++known;
      ++filled;
      looks[at] = look_at_number(text);
      continue;
    }
    auto* clean = clean_.find(text);
    if (clean && (clean->is_clean_also || !also)) {
      ++clean->rows;
      ++known;
      filled += clean->is_filled;
      wordy += clean->is_wordy;
      looks[at] = clean->look;
      continue;
    }
    looks[at] = scan_for_both(cell, also);
    skips = skips_numbers_of_all();
  }
  for (auto* scanner : {this, also}) {
    if (!scanner) continue;
    scanner->cells_ += known;
    scanner->filled_ += filled;
    scanner->wordy_ += wordy;
  }
}

std::uint8_t CellScanner::scan_for_both(std::string_view cell, CellScanner* also) {
  scan(cell);
  auto* clean = cell.size() <= ShortText::kLongest ? clean_.find(ShortText::of(cell)) : nullptr;
  if (also) {
    const auto unreadable = also->unreadable_;
    const bool is_clean = also->scan(cell) == 0 && also->unreadable_ == unreadable;
    if (clean) clean->is_clean_also = is_clean;
  }
  if (clean) {
    ++clean->rows;
  } else {
    add_rows(cell, 1);
  }
  return look_at(cell);
}

// REQUIRES: while not too many values were met, this one was scanned.
void CellScanner::add_rows(std::string_view value, std::uint64_t rows) {
  if (overflowed_) return;
  const auto known = known_.find(value);
  if (known != known_.end()) known->second.rows += rows;
}

void CellScanner::take_rows(const std::function<void(const std::string& value, std::uint64_t rows)>& take) {
  clean_.visit_all([this](const ShortText& text, Clean& clean) {
    add_rows(text.text(), clean.rows);
    clean.rows = 0;
  });
  for (auto& [value, known] : known_) {
    if (known.rows > 0) take(value, std::exchange(known.rows, 0));
  }
}

std::size_t CellScanner::scan_whole(std::string_view cell) {
  ++cells_;
  if (trim(cell).empty()) return 0;
  ++filled_;
  if (data::count_words(cell) >= kWordsOfText) ++wordy_;
  if (cell.size() > kLongestKnownValue) overflowed_ = true;
  if (!overflowed_) {
    auto known = known_.find(cell);
    if (known == known_.end() && known_.size() < kMostKnownValues)
      known = known_.emplace(std::string(cell), Known{.found = find(cell)}).first;
    if (known != known_.end()) return count(known->second.found);
    overflowed_ = true;
    known_.clear();
  }
  return count(find(cell));
}

void CellScanner::add(const CellScanner& other) {
  for (std::size_t i = 0; i < hits_.size(); ++i) hits_[i] += other.hits(i);
  cells_ += other.cells_;
  filled_ += other.filled_;
  wordy_ += other.wordy_;
  unreadable_ += other.unreadable_;
  overflowed_ |= other.overflowed_;
  if (!overflowed_) known_.insert(other.known_.begin(), other.known_.end());
  overflowed_ |= known_.size() > kMostKnownValues;
}

bool CellScanner::is_coded() const {
  return !overflowed_ && filled_ >= known_.size() * kRowsPerCode;
}

}  // namespace mlops::policy
