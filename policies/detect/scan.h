// Private to policies/detect: byte classes and small looks around a position. Bytes above ASCII count as word bytes.
// Thread-safety: free functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace mlops::detect {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_alpha(char c) {
  return is_upper(c) || is_lower(c);
}
inline bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
inline bool is_high(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
inline bool is_word(char c) {
  return is_alnum(c) || c == '_' || is_high(c);
}
inline bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
inline char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}

// The byte at `at`, '\0' outside the text.
inline char at_or_nul(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}
inline char before_or_nul(std::string_view text, std::size_t at) {
  return at > 0 && at <= text.size() ? text[at - 1] : '\0';
}

// Digits from `at` on.
inline std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count])) ++count;
  return count;
}
// REQUIRES: `digits` are at most 9 decimal digits.
inline int to_int(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}
inline bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != lower[i]) return false;
  }
  return true;
}
// Does the text at `at` go on with `lower`, whatever its case?
inline bool has_at(std::string_view text, std::size_t at, std::string_view lower) {
  return at <= text.size() && equals_ignoring_case(text.substr(at, lower.size()), lower);
}

// May a number begin at `begin` / end at `end`? Not inside a word, a decimal, a version or a longer dashed number.
inline bool number_may_begin(std::string_view text, std::size_t begin) {
  const char before = before_or_nul(text, begin);
  if (is_word(before)) return false;
  if (before == '.' || before == '-' || before == '/' || before == ':' || before == ',') {
    return begin < 2 || !is_digit(text[begin - 2]);
  }
  return true;
}
inline bool number_may_end(std::string_view text, std::size_t end) {
  const char after = at_or_nul(text, end);
  if (is_word(after)) return false;
  if (after == '.' || after == '-' || after == '/' || after == ':') return !is_alnum(at_or_nul(text, end + 1));
  return after != '%';
}

// The part without blanks at both ends, as offsets.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};
inline Range trimmed(std::string_view text) {
  Range range{0, text.size()};
  while (range.begin < range.end && is_blank(text[range.begin])) ++range.begin;
  while (range.end > range.begin && is_blank(text[range.end - 1])) --range.end;
  return range;
}

}  // namespace mlops::detect
