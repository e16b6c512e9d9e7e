#include "policies/detect/number_rows.h"

#include <algorithm>

namespace mlops::detect {
namespace {

bool is_blank_in_line(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

Range without_blanks(std::string_view text, Range range) {
  while (range.begin < range.end && is_blank_in_line(text[range.begin])) ++range.begin;
  while (range.end > range.begin && is_blank_in_line(text[range.end - 1])) --range.end;
  return range;
}

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t furthest = at > kLineReach ? at - kLineReach : 0;
  while (at > furthest && text[at - 1] != '\n') --at;
  return at;
}
std::size_t line_end(std::string_view text, std::size_t at) {
  const std::size_t furthest = std::min(text.size(), at + kLineReach);
  while (at < furthest && text[at] != '\n') ++at;
  return at;
}

// A word of letters is none of a table of numbers; "7f3a" and "0x1F" are.
bool is_numeric_token(std::string_view token) {
  if (token.starts_with("0x") || token.starts_with("0X")) token.remove_prefix(2);
  return std::all_of(token.begin(), token.end(), is_hex) &&
         (token.size() >= 4 || std::all_of(token.begin(), token.end(), is_digit));
}

bool has_no_words(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    while (end < line.size() && is_word(line[end])) ++end;
    if (end > at && !is_numeric_token(line.substr(at, end - at))) return false;
    at = std::max(end, at + 1);
  }
  return true;
}

}  // namespace

Range line_around(std::string_view text, std::size_t begin, std::size_t end) {
  return without_blanks(text, {line_begin(text, begin), line_end(text, end)});
}

Range line_before(std::string_view text, std::size_t begin) {
  const std::size_t from = line_begin(text, begin);
  if (from == 0 || text[from - 1] != '\n') return {};
  return without_blanks(text, {line_begin(text, from - 1), from - 1});
}

Range line_behind(std::string_view text, std::size_t end) {
  const std::size_t to = line_end(text, end);
  if (to >= text.size() || text[to] != '\n') return {};
  return without_blanks(text, {to + 1, line_end(text, to + 1)});
}

bool holds_numbers_only(std::string_view line) {
  return has_no_words(line) && std::any_of(line.begin(), line.end(), is_digit);
}

bool beside_numbers(std::string_view text, std::size_t begin, std::size_t end) {
  const Range line = line_around(text, begin, end);
  std::size_t before = begin;
  while (before > line.begin && is_blank_in_line(text[before - 1])) --before;
  std::size_t after = end;
  while (after < line.end && is_blank_in_line(text[after])) ++after;
  const bool left = before < begin && is_hex(before_or_nul(text, before));
  const bool right = after > end && is_hex(at_or_nul(text, after));
  if (!left && !right) return false;
  return has_no_words(text.substr(line.begin, begin - line.begin)) && has_no_words(text.substr(end, line.end - end));
}

}  // namespace mlops::detect
