#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace mlops {
namespace {

constexpr std::size_t kLongestComparedWord = 64;

// One decoded code point; size 0 means that the bytes there are not UTF-8.
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};

struct Utf8Form {
  std::uint8_t mask, lead;
  std::size_t size;
  char32_t min;  // below it the form is overlong
};
constexpr std::array<Utf8Form, 4> kUtf8Forms{
    {{0x80, 0x00, 1, 0x0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}}};

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (const auto& form : kUtf8Forms) {
    if ((byte(0) & form.mask) != form.lead) continue;
    if (text.size() < form.size) return {};
    char32_t value = byte(0) & static_cast<std::uint8_t>(~form.mask);
    for (std::size_t i = 1; i < form.size; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return {};
      value = value << 6 | (byte(i) & 0x3f);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < form.min || value > 0x10ffff || surrogate) return {};
    return {value, form.size};
  }
  return {};
}

// Code points that act on a terminal or reorder what is read: controls, line separators, bidirectional overrides.
bool acts_on_terminal(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

struct DurationUnit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<DurationUnit, 4> kDurationUnits{{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) > ' '; };
  if (!text.empty() && is_plain(text.front()) && is_plain(text.back())) return text;
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.size > 0 && !acts_on_terminal(point.value)) {
      out += text.substr(0, size);
    } else {
      for (const char c : text.substr(0, size)) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
    text.remove_prefix(size);
  }
  return out;
}

std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongestComparedWord) return std::nullopt;
  const std::string wanted = to_lower_ascii(word);
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  const std::string* best = nullptr;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kLongestComparedWord) continue;
    const std::size_t distance = edit_distance(wanted, to_lower_ascii(candidate));
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = &candidate;
  }
  return best ? std::optional(*best) : std::nullopt;
}

std::string human_size(std::uint64_t size_bytes) {
  constexpr std::array<std::string_view, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size_bytes < 1024) return fmt::format("{} B", size_bytes);
  auto size = static_cast<double>(size_bytes);
  std::size_t unit = 0;
  // 1023.95 would be shown as "1024.0" of the smaller unit.
  while (size >= 1023.95 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[std::max<std::size_t>(unit, 1)]);
}

Result<std::int64_t> parse_duration_s(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalid, "bad_duration", fmt::format("not a duration: '{}'", printable(text.substr(0, 32))),
                "write a whole number and a unit: 90s, 15m, 24h or 90d");
  };
  if (text.size() < 2) return bad();
  const auto count = parse_int(text.substr(0, text.size() - 1));
  if (!count || *count < 0) return bad();
  for (const auto& unit : kDurationUnits) {
    if (unit.letter != text.back()) continue;
    if (*count > std::numeric_limits<std::int64_t>::max() / unit.seconds) return bad();
    return *count * unit.seconds;
  }
  return bad();
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace mlops
