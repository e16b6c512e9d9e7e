#include "policies/engine/row_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>

#include "core/base/text.h"
#include "policies/detect/ordinary_words.h"
#include "policies/engine/plain_shadow.h"

// One file on purpose: the comparisons below run for every cell of a table and must be inlined into the search behind
// them.
namespace mlops::policy {
namespace {

// Shortest values that say something: in free text, where cutting too much costs little, and in a kept column, where a
// coincidence would refuse the table.
constexpr std::size_t kShortestInText = 3;
constexpr std::size_t kShortestEverywhere = kShortestStanding;
constexpr std::size_t kShortestNumberInText = 5;
constexpr std::size_t kShortestNumberEverywhere = kShortestNumberStanding;
constexpr std::size_t kLongestNumber = 40;    // digits after these say nothing new
constexpr std::size_t kMostSeparators = 3;    // between two digits of a number written differently, a line end included
constexpr std::size_t kShortestMisspelt = 6;  // names of fewer letters are one letter away from everyday words

constexpr std::array<std::string_view, 33> kNotNames{"mr",  "mrs", "ms",  "miss", "dr",  "prof",   "jr",  "sr",  "md",
                                                     "phd", "rn",  "ii",  "iii",  "iv",  "the",    "and", "von", "van",
                                                     "der", "den", "del", "dos",  "las", "los",    "bin", "ibn", "de",
                                                     "la",  "di",  "da",  "al",   "st",  "unknown"};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) >= 0x80);
}
constexpr bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '_';
}
bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == '\n' || c == '\r';
}

void lower_ascii_into(std::string_view text, std::string& lower) {
  lower.resize(text.size());
  std::transform(text.begin(), text.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c + ((c >= 'A' && c <= 'Z') ? 'a' - 'A' : 0)); });
}

bool on_boundaries(std::string_view text, std::size_t begin, std::size_t end) {
  const bool joined_before = begin > 0 && is_word(text[begin]) && is_word(text[begin - 1]);
  const bool joined_after = end < text.size() && is_word(text[end - 1]) && is_word(text[end]);
  return !joined_before && !joined_after;
}

// The end of `needle` at `at` of `text`; npos when it does not stand there.
std::size_t text_end(std::string_view text, std::string_view needle, std::size_t at) {
  if (text.compare(at, needle.size(), needle) != 0) return std::string_view::npos;
  const std::size_t end = at + needle.size();
  return on_boundaries(text, at, end) ? end : std::string_view::npos;
}

bool one_edit_apart(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  const auto differ = std::mismatch(b.begin(), b.end(), a.begin());
  const auto same = static_cast<std::size_t>(differ.first - b.begin());
  const auto left = a.substr(same);
  const auto right = b.substr(same);
  if (a.size() == b.size() + 1) return left.substr(1) == right;  // one too many, or too few
  if (a.size() != b.size() || left.empty()) return a == b;
  if (left.substr(1) == right.substr(1)) return true;  // another one
  return left.size() > 1 && left[0] == right[1] && left[1] == right[0] && left.substr(2) == right.substr(2);
}

// The end of a word at `at` that is the name `needle` in the plural or misspelt; npos when it is not.
std::size_t variant_end(std::string_view text, std::string_view needle, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_word(text[end])) ++end;
  const auto word = text.substr(at, end - at);
  if (word.size() < needle.size() && needle.size() < kShortestMisspelt) return std::string_view::npos;
  const auto ending = word.starts_with(needle) ? word.substr(needle.size()) : std::string_view{"-"};
  const bool is_plural = needle.size() >= kShortestEverywhere && (ending == "s" || ending == "es");
  const bool is_misspelt = needle.size() >= kShortestMisspelt && one_edit_apart(word, needle);
  return is_plural || is_misspelt ? end : std::string_view::npos;
}

// The same as text_end for digits in order, with at most kMostSeparators separators between two of them.
std::size_t digits_end(std::string_view text, std::string_view needle, std::size_t at) {
  std::size_t matched = 0;
  std::size_t skipped = 0;
  while (at < text.size() && matched < needle.size() && skipped <= kMostSeparators) {
    if (text[at] == needle[matched]) {
      ++matched;
      skipped = 0;
    } else if (is_separator(text[at])) {
      ++skipped;
    } else {
      break;
    }
    ++at;
  }
  const bool whole = matched == needle.size() && (at == text.size() || !is_word(text[at]));
  return whole ? at : std::string_view::npos;
}

constexpr std::size_t kTextKey = 2;    // what a needle is found by: letters,
constexpr std::size_t kNumberKey = 3;  // and digits
constexpr std::uint32_t kNumberBuckets = 1000;

std::uint32_t text_bucket(char first, char second, std::uint32_t buckets) {
  const auto a = static_cast<unsigned char>(first);
  const auto b = static_cast<unsigned char>(second);
  return kNumberBuckets + ((a * 67U) ^ (b * 31U)) % (buckets - kNumberBuckets);
}

std::uint32_t number_bucket(std::string_view digits) {
  std::uint32_t bucket = 0;
  for (std::size_t i = 0; i < kNumberKey; ++i) bucket = bucket * 10 + static_cast<std::uint32_t>(digits[i] - '0');
  return bucket;
}

// As is_word(), for every byte of a table.
bool is_in_word(char c) {
  static constexpr auto kWords = [] {
    std::array<bool, 256> words{};
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = is_word(static_cast<char>(i));
    return words;
  }();
  return kWords[static_cast<unsigned char>(c)];
}

constexpr auto kLower = [] {
  std::array<std::uint8_t, 256> lower{};
  for (std::size_t i = 0; i < lower.size(); ++i) {
    lower[i] = static_cast<std::uint8_t>(i >= 'A' && i <= 'Z' ? i + ('a' - 'A') : i);
  }
  return lower;
}();

// Are there letters beyond ASCII?
bool is_foreign(std::string_view text) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  std::uint64_t bits = 0;
  const auto look = [&](std::size_t at, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, count);
    bits |= word;
  };
  std::size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) look(at, kStep);
  if (text.size() >= kStep) {
    look(text.size() - kStep, kStep);
  } else {
    for (; at < text.size(); ++at) look(at, 1);
  }
  return (bits & 0x8080808080808080u) != 0;
}

// As trim(), which is asked when the ends may be blank.
std::string_view trimmed(std::string_view text) {
  const bool is_tight =
      !text.empty() && static_cast<unsigned char>(text.front()) > ' ' && static_cast<unsigned char>(text.back()) > ' ';
  return is_tight ? text : trim(text);
}

// Of three characters. What is found everywhere has no fewer, and no fewer digits than these.
constexpr std::size_t kGlanceLetters = 3;
constexpr std::size_t kGlanceDigits = 4;
static_assert(kGlanceLetters <= kShortestEverywhere && kGlanceDigits <= kShortestNumberEverywhere);
std::uint32_t text_glance(const char* text) {
  std::uint32_t key = 0;
  for (std::size_t i = 0; i < kGlanceLetters; ++i) key = key << 8 | kLower[static_cast<unsigned char>(text[i])];
  return key * 0x9E3779B1u >> (32 - std::bit_width(kGlanceBits - 1));  // 2^32 over the golden ratio
}

// The first digits from `at` on; false: too few, or too far apart.
template <std::size_t kDigits>
bool key_digits(std::string_view text, std::size_t at, char (&key)[kDigits]) {
  std::size_t have = 0;
  std::size_t skipped = 0;
  for (; at < text.size() && have < kDigits && skipped <= kMostSeparators; ++at) {
    if (is_digit(text[at])) {
      key[have++] = text[at];
      skipped = 0;
    } else if (is_separator(text[at])) {
      ++skipped;
    } else {
      return false;
    }
  }
  return have == kDigits;
}

// What a rule has written already: "[NAME]" names nobody who is called Name.
bool is_in_brackets(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin == 0 || end >= text.size() || text[begin - 1] != '[' || text[end] != ']') return false;
  const auto inner = text.substr(begin, end - begin);
  return std::all_of(inner.begin(), inner.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

std::vector<std::string_view> name_parts(std::string_view name) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= name.size(); ++at) {
    const bool inside = at < name.size() && (is_word(name[at]) || name[at] == '\'');
    if (inside) continue;
    if (at > begin) parts.push_back(name.substr(begin, at - begin));
    begin = at + 1;
  }
  return parts;
}

bool says_nothing(std::string_view part) {
  const auto lower = to_lower_ascii(part);
  return std::find(kNotNames.begin(), kNotNames.end(), lower) != kNotNames.end();
}

std::size_t count_digits(std::string_view value) {
  return static_cast<std::size_t>(std::count_if(value.begin(), value.end(), is_digit));
}

bool is_mostly_digits(std::string_view value) {
  const auto digits = std::count_if(value.begin(), value.end(), is_digit);
  const auto letters = std::count_if(value.begin(), value.end(), is_letter);
  return digits > 0 && letters <= 2 && digits > letters;
}

}  // namespace

void RowValues::clear() {
  for (std::size_t i = 0; i < size_; ++i) heads_[needles_[i].bucket] = kNone;
  size_ = 0;
  odd_ = kNone;
  sources_ = {};
  if (!has_any_) return;
  has_any_ = false;
  added_.clear();
  threaded_ = 0;
  is_certain_ = sees_all_ = has_number_names_ = false;
  beginnings_.clear();
  number_beginnings_.clear();
  odd_beginnings_.clear();
}

RowValues::Kind RowValues::kind_of(const ClassRow& row) {
  return {row.spread, row.name == "person_name" || row.name == "username"};
}

inline void RowValues::see_beginning(std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (!is_in_word(text[at])) {
    odd_beginnings_.mark(c);
  } else if (at + kGlanceLetters <= text.size()) {
    beginnings_.mark(text_glance(&text[at]));
  }
}

inline void RowValues::see_words(std::string_view name) {
  sees_all_ |= is_foreign(name);
  bool was_word = false;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const bool is_word_now = is_in_word(name[at]);
    if (!was_word && (is_word_now || at == 0 || name[at] == '\'')) see_beginning(name, at);
    has_number_names_ |= !was_word && is_digit(name[at]);
    was_word = is_word_now;
  }
}

// Whatever of a cell can be found everywhere begins with its first character, with its digits, or, of a name, with a
// word or an apostrophe.
inline void RowValues::see_beginnings(std::string_view value) {
  sees_all_ |= is_foreign(value);
  see_beginning(value, 0);
  std::size_t digits = 0;
  std::uint32_t number = 0;
  for (std::size_t at = 0; at < value.size() && digits < kGlanceDigits; ++at) {
    const auto digit = static_cast<std::uint32_t>(static_cast<unsigned char>(value[at]) - '0');
    if (digit > 9) continue;
    number = number * 10 + digit;
    ++digits;
  }
  if (digits == kGlanceDigits) number_beginnings_.mark(number % kGlanceBits);
}

// So many digits become a needle for certain.
inline void RowValues::see(std::string_view cell, Kind kind) {
  has_any_ = true;
  const auto value = trimmed(cell);
  if (kind.is_name) return see_words(value);
  if (!is_certain_) {
    is_certain_ = count_digits(value) >= kShortestNumberInText && std::none_of(value.begin(), value.end(), is_letter);
  }
  if (kind.spread == Spread::kEverywhere && !value.empty()) see_beginnings(value);
}

void RowValues::add(std::string_view cell, Kind kind, std::string_view placeholder) {
  if (kind.spread == Spread::kNone || cell.empty()) return;
  added_.push_back({cell, placeholder, kind});
  see(cell, kind);
}

void RowValues::add_record(std::span<const data::Cell> cells, std::span<const Source> sources) {
  cells_ = cells;
  sources_ = sources;
  for (const auto& source : sources) {
    const auto cell = cells[source.place].text;
    if (source.kind.spread != Spread::kNone && !cell.empty()) see(cell, source.kind);
  }
}

bool RowValues::may_stand_in(std::string_view cell) const {
  if (!has_any_ || cell.size() < kShortestEverywhere) return false;
  if (sees_all_ || is_foreign(cell)) return true;
  std::size_t at = 0;
  while (at < cell.size()) {
    if (is_in_word(cell[at])) {
      if (may_begin_at(cell, at)) return true;
      while (++at < cell.size() && is_in_word(cell[at])) continue;
    } else {
      if (odd_beginnings_.is_marked(static_cast<unsigned char>(cell[at]))) return true;
      ++at;
    }
  }
  return false;
}

// REQUIRES: a word begins there.
bool RowValues::may_begin_at(std::string_view cell, std::size_t at) const {
  if (at + kGlanceLetters <= cell.size() && beginnings_.is_marked(text_glance(&cell[at]))) return true;
  if (!is_digit(cell[at]) || cell.size() < kShortestNumberEverywhere) return false;
  char key[kGlanceDigits];
  if (!key_digits(cell, at, key)) return false;
  std::uint32_t number = 0;
  for (const char digit : key) number = number * 10 + static_cast<std::uint32_t>(digit - '0');
  return number_beginnings_.is_marked(number % kGlanceBits);
}

void RowValues::thread_all() {
  for (const auto& source : sources_) {
    const auto cell = cells_[source.place].text;
    if (source.kind.spread != Spread::kNone && !cell.empty()) added_.push_back({cell, source.placeholder, source.kind});
  }
  sources_ = {};
  while (threaded_ < added_.size()) thread_one(added_[threaded_++]);
}

bool RowValues::empty() const {
  if (is_certain_) return false;
  thread();
  return size_ == 0;
}

void RowValues::thread_one(const Added& added) {
  const PlainShadow plain(added.cell);
  const auto value = trim(plain.text());
  if (value.empty()) return;
  if (added.kind.is_name) {
    add_name(value, added.placeholder);
  } else if (is_mostly_digits(value)) {
    add_number(value, added.placeholder, added.kind.spread);
  } else if (value.size() >= kShortestEverywhere) {
    // "MRN-000123" is also told as 000123. Not so an address, whose numbers are several.
    const bool is_code = value.find(' ') == std::string_view::npos && value.find('@') == std::string_view::npos;
    if (is_code && count_digits(value) >= kShortestNumberEverywhere) {
      return add_number(value, added.placeholder, added.kind.spread);
    }
    add_text(value, added.placeholder, added.kind.spread == Spread::kEverywhere);
  }
}

RowValues::Needle& RowValues::next_needle() {
  if (size_ == needles_.size()) needles_.emplace_back();
  auto& needle = needles_[size_];
  needle.is_number = needle.is_exact = needle.is_everywhere = needle.is_word = false;
  return needle;
}

// The needle begun last stays, unless it is there already.
void RowValues::keep(std::uint32_t bucket) {
  auto& needle = needles_[size_];
  const bool is_odd = bucket == kBuckets;
  auto& head = is_odd ? odd_ : heads_[bucket];
  for (auto i = head; i != kNone; i = needles_[static_cast<std::size_t>(i)].next) {
    auto& known = needles_[static_cast<std::size_t>(i)];
    if (known.is_number != needle.is_number || known.is_exact != needle.is_exact || known.text != needle.text) continue;
    known.is_everywhere |= needle.is_everywhere;
    return;
  }
  needle.bucket = is_odd ? 0 : bucket;
  needle.next = head;
  head = static_cast<std::int32_t>(size_++);
}

void RowValues::add_text(std::string_view text, std::string_view placeholder, bool everywhere) {
  auto& needle = next_needle();
  lower_ascii_into(text, needle.text);
  needle.placeholder = placeholder;
  needle.is_everywhere = everywhere;
  needle.is_word = std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || c == '\''; });
  keep(is_word(text[0]) ? text_bucket(needle.text[0], needle.text[1], kBuckets) : kBuckets);
}

void RowValues::add_name(std::string_view cell, std::string_view placeholder) {
  const auto parts = name_parts(cell);
  if (parts.size() > 1) add_text(cell, placeholder, true);
  for (const auto part : parts) {
    if (says_nothing(part)) continue;
    if (part.size() >= kShortestInText) {
      add_text(part, placeholder, part.size() >= kShortestEverywhere);
    } else if (part.size() == kTextKey && part[0] >= 'A' && part[0] <= 'Z') {
      auto& needle = next_needle();
      needle.text = part;
      needle.placeholder = placeholder;
      needle.is_exact = true;
      needle.is_word = true;
      const auto lower = to_lower_ascii(part);
      keep(text_bucket(lower[0], lower[1], kBuckets));
    }
  }
}

void RowValues::add_number(std::string_view cell, std::string_view placeholder, Spread spread) {
  const auto digits = count_digits(cell);
  if (digits < kShortestNumberInText) return;
  const bool everywhere = spread == Spread::kEverywhere && digits >= kShortestNumberEverywhere;
  // As written, because a letter or a sign may belong to it, and by its digits alone.
  if (digits != cell.size()) add_text(cell, placeholder, everywhere);
  auto& needle = next_needle();
  needle.text.clear();
  std::copy_if(cell.begin(), cell.end(), std::back_inserter(needle.text), is_digit);
  if (digits > kLongestNumber) needle.text.resize(kLongestNumber);
  needle.placeholder = placeholder;
  needle.is_number = true;
  needle.is_everywhere = everywhere;
  keep(number_bucket(needle.text));
}

RowValues::Text RowValues::lowered(std::string_view text) const {
  lower_ascii_into(text, lower_);
  return {text, lower_};
}

template <typename Take>
void RowValues::visit_bucket(std::int32_t head, const Text& text, std::size_t at, bool& go_on, const Take& take) const {
  for (auto i = head; i != kNone && go_on;) {
    const auto& needle = needles_[static_cast<std::size_t>(i)];
    i = needle.next;
    const auto where = needle.is_exact ? text.raw : text.lower;
    auto end = needle.is_number ? digits_end(where, needle.text, at) : text_end(where, needle.text, at);
    // A variant is a name only where it is written as one: "Parked" may be Mr. Parker, "parked" is not.
    const bool may_vary = needle.is_word && !needle.is_exact && text.raw[at] >= 'A' && text.raw[at] <= 'Z';
    const bool is_variant = end == std::string_view::npos && may_vary;
    if (is_variant) end = variant_end(where, needle.text, at);
    const bool is_joined = end == std::string_view::npos && !needle.is_exact;
    if (is_joined) end = joined_end(text, needle, at);
    if (end == std::string_view::npos || is_in_brackets(text.raw, at, end)) continue;
    go_on = take(Match{at, end, &needle, is_variant && !is_joined, is_joined});
  }
}

// The end of a word at `at` that is the name `needle` and another name of the row without a blank between them:
// JaneRoe, jane_roe. npos: it is not.
std::size_t RowValues::joined_end(const Text& text, const Needle& needle, std::size_t at) const {
  const auto lower = text.lower;
  if (!needle.is_word || lower.compare(at, needle.text.size(), needle.text) != 0) return std::string_view::npos;
  auto rest = at + needle.text.size();
  if (rest < lower.size() && lower[rest] == '_') ++rest;
  if (rest + 1 >= lower.size()) return std::string_view::npos;
  const auto head = heads_[text_bucket(lower[rest], lower[rest + 1], kBuckets)];
  for (auto i = head; i != kNone; i = needles_[static_cast<std::size_t>(i)].next) {
    const auto& other = needles_[static_cast<std::size_t>(i)];
    const auto end = rest + other.text.size();
    const bool is_it = &other != &needle && other.is_word && !other.is_exact &&
                       lower.compare(rest, other.text.size(), other.text) == 0;
    if (is_it && (end == lower.size() || !is_word(lower[end]))) return end;
  }
  return std::string_view::npos;
}

// Calls take(match) for every place where a needle stands, until it says false.
template <typename Take>
void RowValues::visit(const Text& text, const Take& take) const {
  bool go_on = true;
  const auto lower = text.lower;
  for (std::size_t at = 0; at < lower.size() && go_on; ++at) {
    if (odd_ != kNone) visit_bucket(odd_, text, at, go_on, take);
    if (!is_word(lower[at]) || (at > 0 && is_word(lower[at - 1]))) continue;
    if (at + 1 < lower.size()) {
      visit_bucket(heads_[text_bucket(lower[at], lower[at + 1], kBuckets)], text, at, go_on, take);
    }
    char key[kNumberKey];
    if (!is_digit(lower[at]) || !key_digits(lower, at, key)) continue;
    visit_bucket(heads_[number_bucket({key, kNumberKey})], text, at, go_on, take);
  }
}

std::string RowValues::cut_from(std::string_view text) const {
  thread();
  matches_.clear();
  const PlainShadow plain(text);
  visit(lowered(plain.text()), [&](Match match) {
    plain.to_original(match.begin, match.end);
    matches_.push_back(match);
    return true;
  });
  // Found by position; of one position the longest speaks for the union.
  std::stable_sort(matches_.begin(), matches_.end(), [](const Match& a, const Match& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::string result;
  std::size_t done = 0;
  for (std::size_t i = 0; i < matches_.size();) {
    const auto& first = matches_[i];
    std::size_t end = first.end;
    for (++i; i < matches_.size() && matches_[i].begin < end; ++i) end = std::max(end, matches_[i].end);
    result.append(text.substr(done, first.begin - done)).append(first.needle->placeholder);
    done = end;
  }
  return result.append(text.substr(done));
}

bool RowValues::stand_in(std::string_view cell) const {
  if (!may_stand_in(cell)) return false;
  thread();
  bool stands = false;
  const Needle* everyday = nullptr;
  const PlainShadow plain(cell);
  const auto text = lowered(plain.text());
  visit(text, [&](const Match& match) {
    if (!match.needle->is_everywhere || match.is_variant) return true;
    // Two of them in one cell are no chance any more.
    const bool is_chance = is_everyday(text, match) && (!everyday || everyday == match.needle);
    everyday = match.needle;
    stands = !is_chance;
    return !stands;
  });
  return stands;
}

bool RowValues::is_everyday(const Text& text, const Match& match) const {
  if (!match.needle->is_word || match.is_joined || !detect::is_ordinary_word(match.needle->text)) return false;
  if (trim(text.lower).size() == match.end - match.begin) return false;  // the whole cell
  const auto written = text.raw.substr(match.begin, match.end - match.begin);
  if (written == match.needle->text) return true;
  auto begin = match.end;
  while (begin < text.raw.size() && text.raw[begin] == ' ') ++begin;
  auto end = begin;
  while (end < text.raw.size() && is_letter(text.raw[end])) ++end;
  return begin > match.end && end > begin && detect::is_ordinary_word(text.lower.substr(begin, end - begin));
}

bool RowValues::name_in(std::string_view text) const {
  thread();
  const Needle* one_word = nullptr;
  bool is_named = false;
  const PlainShadow plain(text);
  visit(lowered(plain.text()), [&](const Match& match) {
    const auto& needle = *match.needle;
    if (match.is_variant) return true;
    if (match.is_joined) {
      is_named = true;
    } else if (!needle.is_word) {
      is_named = needle.is_everywhere;
    } else if (one_word && one_word != &needle && one_word->placeholder == needle.placeholder) {
      is_named = one_word->is_everywhere || needle.is_everywhere;
    } else {
      one_word = &needle;
    }
    return !is_named;
  });
  return is_named;
}

}  // namespace mlops::policy
