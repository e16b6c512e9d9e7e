#include "policies/detect/reading.h"

#include <algorithm>
#include <array>

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

// I'm, they'll, don't: no name, whatever the letters without the apostrophe are.
bool is_contraction(std::string_view word) {
  const std::size_t apostrophe = word.rfind('\'');
  if (apostrophe == std::string_view::npos || apostrophe == 0) return false;
  const auto ending = word.substr(apostrophe + 1);
  for (const std::string_view known : {"m", "re", "ve", "ll", "d", "t"}) {
    if (equals_ignoring_case(ending, known)) return true;
  }
  return false;
}

Word entry_of(std::string_view word) {
  if (is_contraction(word)) return {kOrdinaryWord | kNoName};
  std::array<char, 40> lower{};
  std::size_t size = 0, half = 0;
  unsigned halves = 0;
  bool dashed = false;
  const auto names_of = [&] { return look_up({lower.data() + half, size - half}).payload & (kFirstName | kSurname); };
  for (const char c : word) {
    if (c == '\'') continue;
    if (size == lower.size()) return {};
    if (c == '-') {
      halves |= names_of();
      dashed = true;
      half = size + 1;
    }
    lower[size++] = c == '-' ? ' ' : to_lower(c);
  }
  // Garcia-Lopez: either half tells; Bar-le-Duc is in the gazetteer as a whole.
  if (dashed) return {(look_up({lower.data(), size}).payload & (kPlace | kNationality)) | halves | names_of()};
  return look_up({lower.data(), size});
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
  token.entry = entry_of(word);
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

// "40th", "221B": the letters belong to the number.
std::size_t ordinal_at(std::string_view text, std::size_t at) {
  std::size_t letters = 0;
  while (letters < 3 && is_alpha(at_or_nul(text, at + letters))) ++letters;
  if (is_word(at_or_nul(text, at + letters))) return 0;
  if (letters == 1) return 1;
  if (letters != 2) return 0;
  for (const std::string_view ordinal : {"st", "nd", "rd", "th"}) {
    if (has_at(text, at, ordinal)) return 2;
  }
  return 0;
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
        number.end = static_cast<std::uint32_t>(at + digits + ordinal_at(text, at + digits));
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

bool Reading::joined(std::size_t i) const {
  const auto between = gap(i);
  if (between == " " || between == "  ") return true;
  if (between.empty() || between[0] != '.') return false;
  const Token& token = tokens_[i];
  const bool short_word = token.letters <= 2 || token.has(kTitle | kSuffix);
  return short_word && (between == "." || between == ". ");
}

bool Reading::begins_sentence(std::size_t i) const {
  if (i == 0) return true;
  const auto between = gap(i - 1);
  const bool abbreviation = between[0] == '.' && (tokens_[i - 1].letters <= 2 || tokens_[i - 1].has(kTitle));
  for (const char c : between) {
    if (c == '\n' || c == '!' || c == '?' || c == '"' || c == '*' || c == '|' || c == ']' || c == '>') return true;
    if (c == '.' && !abbreviation) return true;
  }
  return false;
}

std::size_t Reading::country_end(std::size_t i) const {
  constexpr std::string_view kForms[] = {"republic", "kingdom",   "people's",  "democratic", "federal",
                                         "islamic",  "federated", "states",    "of",         "the",
                                         "state",    "and",       "socialist", "union"};
  std::size_t at = i;
  while (at < tokens_.size() && at - i < 6 && tokens_[at].is_word()) {
    if (const PlaceMatch place = place_at(at); place.word.has(kCountry)) return at + place.words;
    if (at == i && tokens_[at].has(kNationality) && at + 1 < tokens_.size() && gap(at) == " " &&
        tokens_[at + 1].is_word() && equals_ignoring_case(word(tokens_[at + 1]), "republic"))
      return at + 2;
    // The possessive is no part of a token.
    const std::string_view form =
        text_.substr(tokens_[at].begin, tokens_[at].letters + (tokens_[at].possessive ? 2 : 0));
    if (std::none_of(std::begin(kForms), std::end(kForms),
                     [&](std::string_view known) { return equals_ignoring_case(form, known); })) {
      return i;
    }
    if (gap(at) != " " && gap(at) != "'s ") return i;
    ++at;
  }
  return i;
}

PlaceMatch Reading::place_at(std::size_t i) const {
  std::array<char, 128> lower{};
  std::array<std::string_view, kMostPlaceWords> words;
  std::array<std::size_t, kMostPlaceWords> last_of;  // the token a word ends, SIZE_MAX inside one
  std::size_t count = 0, size = 0;
  for (std::size_t k = i; k < tokens_.size() && count < words.size(); ++k) {
    const Token& token = tokens_[k];
    if (!token.is_word() || size + token.letters >= lower.size()) break;
    std::size_t begin = size;
    for (const char c : word(token)) {
      if (c == '-' && count < words.size()) {
        last_of[count] = SIZE_MAX;
        words[count++] = {lower.data() + begin, size - begin};
        begin = size;
      } else if (c != '\'') {
        lower[size++] = to_lower(c);
      }
    }
    if (count == words.size()) break;
    last_of[count] = k;
    words[count++] = {lower.data() + begin, size - begin};
    const auto between = gap(k);
    if (between != " " && between != ". " && between != "-") break;
    if (k == i && !token.has(kPlaceStart) && count == 1) break;
  }
  for (std::size_t most = count; most > 0;) {
    PlaceMatch match = longest_place({words.data(), most});
    if (match.words == 0) return match;
    if (const std::size_t last = last_of[match.words - 1]; last != SIZE_MAX) {
      match.words = last - i + 1;
      return match;
    }
    most = match.words - 1;  // it ends inside a dashed word
  }
  return {};
}

}  // namespace mlops::detect
