#include "policies/data/cell_shape.h"

namespace mlops::data {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

NumberShape number_shape(std::string_view text) {
  if (text.empty()) return NumberShape::kNone;
  std::size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  if (digits() == 0) return NumberShape::kNone;
  if (at == text.size()) return NumberShape::kInteger;
  if (text[at] == '.') {
    ++at;
    digits();
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return NumberShape::kNone;
  }
  return at == text.size() ? NumberShape::kReal : NumberShape::kNone;
}

int count_words(std::string_view text) {
  int words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    words += !blank && !inside ? 1 : 0;
    inside = !blank;
  }
  return words;
}

}  // namespace mlops::data
