#include "policies/engine/row_values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/text.h"

namespace mlops::policy {
namespace {

using Match = std::pair<std::size_t, std::size_t>;  // [begin, end)

// Shortest values that say something: in free text, where cutting too much costs little, and in a kept column, where a
// coincidence would refuse the table.
constexpr std::size_t kShortestInText = 3;
constexpr std::size_t kShortestEverywhere = 4;
constexpr std::size_t kShortestNumberInText = 5;
constexpr std::size_t kShortestNumberEverywhere = 6;
constexpr std::size_t kMostSeparators = 2;  // between two digits of a number written differently

constexpr std::array<std::string_view, 33> kNotNames{"mr",  "mrs", "ms",  "miss", "dr",  "prof",   "jr",  "sr",  "md",
                                                     "phd", "rn",  "ii",  "iii",  "iv",  "the",    "and", "von", "van",
                                                     "der", "den", "del", "dos",  "las", "los",    "bin", "ibn", "de",
                                                     "la",  "di",  "da",  "al",   "st",  "unknown"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) >= 0x80);
}
bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '_';
}
bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
  return digits;
}

bool on_boundaries(std::string_view text, std::size_t begin, std::size_t end) {
  const bool joined_before = begin > 0 && is_word(text[begin]) && is_word(text[begin - 1]);
  const bool joined_after = end < text.size() && is_word(text[end - 1]) && is_word(text[end]);
  return !joined_before && !joined_after;
}

std::optional<Match> find_text(std::string_view text, std::string_view needle, std::size_t from) {
  for (auto at = text.find(needle, from); at != std::string_view::npos; at = text.find(needle, at + 1)) {
    if (on_boundaries(text, at, at + needle.size())) return Match{at, at + needle.size()};
  }
  return std::nullopt;
}

// The digits of `needle` in order, with at most kMostSeparators separators between two of them.
std::optional<Match> find_digits(std::string_view text, std::string_view needle, std::size_t from) {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    const bool starts = text[begin] == needle[0] && (begin == 0 || !is_word(text[begin - 1]));
    if (!starts) continue;
    std::size_t at = begin;
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
    if (matched == needle.size() && (at == text.size() || !is_word(text[at]))) return Match{begin, at};
  }
  return std::nullopt;
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

bool is_mostly_digits(std::string_view value) {
  const auto digits = std::count_if(value.begin(), value.end(), is_digit);
  const auto letters = std::count_if(value.begin(), value.end(), is_letter);
  return digits > 0 && letters <= 2 && digits > letters;
}

}  // namespace

void RowValues::add(std::string_view cell, const ClassRow& row, std::string_view placeholder) {
  const auto value = trim(cell);
  if (row.spread == Spread::kNone || value.empty()) return;
  if (row.name == "person_name" || row.name == "username") {
    add_name(value, placeholder);
  } else if (is_mostly_digits(value)) {
    add_number(value, placeholder, row.spread);
  } else if (value.size() >= kShortestEverywhere) {
    add_needle(value, placeholder, row.spread == Spread::kEverywhere);
  }
}

void RowValues::add_needle(std::string_view text, std::string_view placeholder, bool everywhere) {
  needles_.push_back({to_lower_ascii(text), false, false, everywhere, std::string(placeholder)});
}

void RowValues::add_name(std::string_view cell, std::string_view placeholder) {
  const auto parts = name_parts(cell);
  if (parts.size() > 1) add_needle(cell, placeholder, true);
  for (const auto part : parts) {
    if (says_nothing(part)) continue;
    if (part.size() >= kShortestInText) {
      add_needle(part, placeholder, part.size() >= kShortestEverywhere);
    } else if (part.size() == 2 && part[0] >= 'A' && part[0] <= 'Z') {
      needles_.push_back({std::string(part), false, true, false, std::string(placeholder)});
    }
  }
}

void RowValues::add_number(std::string_view cell, std::string_view placeholder, Spread spread) {
  auto digits = digits_of(cell);
  if (digits.size() < kShortestNumberInText) return;
  const bool everywhere = spread == Spread::kEverywhere && digits.size() >= kShortestNumberEverywhere;
  // As written first, because a letter or a sign may belong to it; then by its digits alone.
  add_needle(cell, placeholder, everywhere);
  needles_.push_back({std::move(digits), true, false, everywhere, std::string(placeholder)});
}

std::string RowValues::cut_from(std::string_view text) const {
  std::string result(text);
  for (const auto& needle : needles_) {
    std::size_t from = 0;
    std::string lower = needle.is_exact ? std::string{} : to_lower_ascii(result);
    while (true) {
      const std::string_view where = needle.is_exact ? result : lower;
      const auto match = needle.is_number ? find_digits(where, needle.text, from) : find_text(where, needle.text, from);
      if (!match) break;
      const auto [begin, end] = *match;
      result.replace(begin, end - begin, needle.placeholder);
      if (!needle.is_exact) lower.replace(begin, end - begin, needle.placeholder);
      from = begin + needle.placeholder.size();
    }
  }
  return result;
}

bool RowValues::stand_in(std::string_view cell) const {
  if (cell.size() < kShortestEverywhere) return false;
  const auto lower = to_lower_ascii(cell);
  return std::any_of(needles_.begin(), needles_.end(), [&](const Needle& needle) {
    if (!needle.is_everywhere) return false;
    return needle.is_number ? find_digits(lower, needle.text, 0).has_value()
                            : find_text(lower, needle.text, 0).has_value();
  });
}

}  // namespace mlops::policy
