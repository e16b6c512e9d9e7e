#include "policies/detect/reading.h"

#include <algorithm>
#include <array>

#include "policies/detect/name_words.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

bool is_letter(char c) {
  return is_alpha(c) || is_high(c);
}

bool is_name_byte(std::string_view text, std::size_t at) {
  const char c = at_or_nul(text, at);
  if (is_letter(c)) return true;
  return (c == '\'' || c == '-') && is_letter(at_or_nul(text, at + 1));
}

unsigned bits_of(std::string_view word) {
  std::array<char, 32> lower{};
  std::size_t size = 0;
  unsigned halves = 0;
  bool dashed = false;
  for (const char c : word) {
    if (c == '-') {  // Garcia-Lopez: either half tells
      halves |= name_word({lower.data(), size}) & (kFirstName | kSurname);
      size = 0;
      dashed = true;
    } else if (c != '\'') {
      if (size == lower.size()) return 0;
      lower[size++] = to_lower(c);
    }
  }
  const unsigned last = name_word({lower.data(), size});
  return dashed ? halves | (last & (kFirstName | kSurname)) : last;
}

Token make_word(std::string_view text, std::size_t begin, std::size_t end) {
  Token token;
  token.begin = static_cast<std::uint32_t>(begin);
  if (end - begin > 2 && text[end - 2] == '\'' && to_lower(text[end - 1]) == 's') {
    end -= 2;
    token.possessive = true;
  }
  token.end = static_cast<std::uint32_t>(end);
  token.letters = static_cast<std::uint16_t>(std::min<std::size_t>(end - begin, 0xFFFF));
  const std::string_view word = text.substr(begin, end - begin);
  token.bits = bits_of(word);
  token.capital = is_upper(word[0]) || is_high(word[0]);
  token.all_capitals = token.capital && word.size() > 1 && std::none_of(word.begin(), word.end(), is_lower);
  // "Curt84": the digits of synthetic records belong to the name.
  const std::size_t digits = token.possessive ? 0 : digits_at(text, end);
  if (token.capital && token.letters >= 3 && digits >= 1 && digits <= 4 && !is_word(at_or_nul(text, end + digits)))
    token.end += static_cast<std::uint32_t>(digits);
  return token;
}

// The end of "[NAME]" from `at`; `at` when there is none.
std::size_t placeholder_end(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (is_upper(at_or_nul(text, end)) || at_or_nul(text, end) == '_') ++end;
  return at_or_nul(text, end) == ']' ? end + 1 : at;
}

bool is_inside_identifier(std::string_view text, std::size_t begin, std::size_t end) {
  const char before = before_or_nul(text, begin), after = at_or_nul(text, end);
  return is_digit(before) || before == '_' || before == '@' || before == '/' || before == '\\' || after == '@' ||
         after == '_';
}

}  // namespace

Reading::Reading(std::string_view text) : text_(text) {
  tokens_.reserve(text.size() / 6);
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (is_letter(c)) {
      std::size_t end = at;
      while (end < text.size() && is_name_byte(text, end)) ++end;
      if (!is_inside_identifier(text, at, end)) tokens_.push_back(make_word(text, at, end));
      at = end;
    } else if (is_digit(c)) {
      const std::size_t digits = digits_at(text, at);
      if (!is_word(before_or_nul(text, at))) {
        Token number;
        number.begin = static_cast<std::uint32_t>(at);
        number.end = static_cast<std::uint32_t>(at + digits);
        number.letters = static_cast<std::uint16_t>(std::min<std::size_t>(digits, 0xFFFF));
        number.kind = TokenKind::kNumber;
        tokens_.push_back(number);
      }
      at += digits;
    } else if (c == '[') {
      const std::size_t end = placeholder_end(text, at);
      at = end == at ? at + 1 : end;
    } else {
      ++at;
    }
  }
}

std::string_view Reading::gap(std::size_t i) const {
  if (i + 1 >= tokens_.size()) return "\n";
  return text_.substr(tokens_[i].end, tokens_[i + 1].begin - tokens_[i].end);
}

}  // namespace mlops::detect
