#include "policies/detect/reading.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

enum ByteClass : std::uint8_t { kUpper = 1, kLower = 2, kHigh = 4, kDigit = 8, kJoiner = 16, kOpen = 32 };
constexpr std::uint8_t kLetter = kUpper | kLower | kHigh;

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 'A'; c <= 'Z'; ++c) classes[c] = kUpper;
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = kLower;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  for (std::size_t c = 0x80; c < 0x100; ++c) classes[c] = kHigh;
  classes['\''] = classes['-'] = kJoiner;
  classes['['] = kOpen;
  return classes;
}();

std::uint8_t class_of(std::string_view text, std::size_t at) {
  return at < text.size() ? kClasses[static_cast<unsigned char>(text[at])] : 0;
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

struct Known {
  Word entry;
  std::uint32_t roles = 0;
  std::uint32_t key = 0;
};

Known look_up_word(std::string_view word) {
  std::array<char, 48> raw{}, lower{};
  if (word.size() > raw.size()) return {.key = 1};
  std::size_t size = 0, half = 0;
  unsigned halves = 0;
  bool dashed = false;
  std::uint32_t key = 2166136261u;
  const auto names_of = [&] { return look_up({lower.data() + half, size - half}).payload & (kFirstName | kSurname); };
  for (std::size_t i = 0; i < word.size(); ++i) {
    raw[i] = to_lower(word[i]);
    key = (key ^ static_cast<unsigned char>(raw[i])) * 16777619u;
    if (raw[i] == '\'') continue;
    if (raw[i] == '-') {
      halves |= names_of();
      dashed = true;
      half = size + 1;
    }
    lower[size++] = raw[i] == '-' ? ' ' : raw[i];
  }
  Known known{.roles = roles_of({raw.data(), word.size()}), .key = key};
  if (is_contraction(word)) {
    known.entry = {kOrdinaryWord | kNoName};
  } else if (dashed) {  // Garcia-Lopez: either half tells; Bar-le-Duc is in the gazetteer as a whole
    known.entry = {(look_up({lower.data(), size}).payload & (kPlace | kNationality)) | halves | names_of()};
    const auto dash = std::string_view(raw.data(), word.size()).find('-');
    known.roles |= roles_of({raw.data(), dash}) & role::kSpelledAge;  // ninety-one
  } else {
    known.entry = look_up({lower.data(), size});
  }
  return known;
}

// Few words make up most of a text: those seen last, by their first bytes and size. Bounded, per thread.
class WordCache {
 public:
  // The answer lives until the next call. REQUIRES: begin < end <= text.size().
  const Known& find(std::string_view text, std::size_t begin, std::size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    if (word.size() >= kBytes) return last_ = look_up_word(word);
    const auto bytes = bytes_of(text, begin, word.size());
    const std::uint64_t mixed = (bytes[0] ^ (bytes[1] * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    Slot& slot = slots_[mixed >> (64 - kSlotBits)];
    if (slot.bytes != bytes) slot = {bytes, look_up_word(word)};
    return slot.known;
  }

 private:
  static constexpr std::size_t kBytes = 16;
  static constexpr unsigned kSlotBits = 14;
  using Bytes = std::array<std::uint64_t, 2>;
  struct Slot {
    Bytes bytes{};
    Known known;
  };

  // The word's bytes, zeros behind, and its size in the last one. Two whole words are read where the text has them: a
  // copy of the word's own length would have to reach memory before it can be read again.
  static Bytes bytes_of(std::string_view text, std::size_t begin, std::size_t size) {
    Bytes bytes{};
    if (text.size() - begin >= kBytes) {
      std::memcpy(bytes.data(), text.data() + begin, kBytes);
      bytes[0] &= low_bytes(size);
      bytes[1] &= low_bytes(size > 8 ? size - 8 : 0);
    } else {
      std::memcpy(bytes.data(), text.data() + begin, size);
    }
    bytes[1] |= static_cast<std::uint64_t>(size) << 56;
    return bytes;
  }
  static std::uint64_t low_bytes(std::size_t count) {
    static_assert(std::endian::native == std::endian::little);
    return count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count * 8)) - 1;
  }

  std::array<Slot, std::size_t{1} << kSlotBits> slots_;
  Known last_;  // of a word too long for a slot
};

// `seen`: the classes of the word's bytes, or-ed.
Token make_word(std::string_view text, std::size_t begin, std::size_t end, std::uint8_t seen, WordCache& cache) {
  Token token;
  token.begin = static_cast<std::uint32_t>(begin);
  if ((seen & kJoiner) != 0 && end - begin > 2 && text[end - 2] == '\'' && to_lower(text[end - 1]) == 's') {
    end -= 2;
    token.possessive = true;
    seen = 0;
    for (std::size_t i = begin; i < end; ++i) seen |= class_of(text, i);
  }
  token.end = static_cast<std::uint32_t>(end);
  token.letters = static_cast<std::uint16_t>(std::min<std::size_t>(end - begin, 0xFFFF));
  const Known& known = cache.find(text, begin, end);
  token.entry = known.entry;
  token.roles = known.roles;
  token.key = known.key;
  token.capital = (class_of(text, begin) & (kUpper | kHigh)) != 0;
  token.all_capitals = token.capital && token.letters > 1 && (seen & kLower) == 0;
  // "Curt84": the digits of synthetic records belong to the name.
  if (class_of(text, end) == kDigit && token.capital && token.letters >= 3) {
    const std::size_t digits = digits_at(text, end);
    if (digits <= 4 && !is_word(at_or_nul(text, end + digits))) token.end += static_cast<std::uint32_t>(digits);
  }
  return token;
}

// The end of the letters from `at` on, with the apostrophes and dashes between them.
std::size_t word_end(std::string_view text, std::size_t at, std::uint8_t& seen) {
  for (;;) {
    for (; at < text.size(); ++at) {
      const std::uint8_t next = kClasses[static_cast<unsigned char>(text[at])];
      if ((next & kLetter) == 0) break;
      seen |= next;
    }
    if (class_of(text, at) != kJoiner || (class_of(text, at + 1) & kLetter) == 0) return at;
    seen |= kJoiner;
    ++at;
  }
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

Token make_number(std::string_view text, std::size_t at, std::size_t digits) {
  Token number;
  number.begin = static_cast<std::uint32_t>(at);
  number.end = static_cast<std::uint32_t>(at + digits + ordinal_at(text, at + digits));
  number.letters = static_cast<std::uint16_t>(std::min<std::size_t>(digits, 0xFFFF));
  number.kind = TokenKind::kNumber;
  return number;
}

}  // namespace

Reading::Reading(std::string_view text) : text_(text) {
  // On the heap: in every thread's own storage it would cost half a megabyte where nothing is ever read.
  thread_local const auto own = std::make_unique<WordCache>();
  WordCache& cache = *own;
  tokens_.reserve(text.size() / 5);
  for (std::size_t at = 0; at < text.size();) {
    const std::uint8_t first = kClasses[static_cast<unsigned char>(text[at])];
    if ((first & kLetter) != 0) {
      std::uint8_t seen = 0;
      const std::size_t end = word_end(text, at, seen);
      if (!is_inside_identifier(text, at, end)) add(make_word(text, at, end, seen, cache));
      at = end;
    } else if (first == kDigit) {
      const std::size_t digits = digits_at(text, at);
      if (!is_word(before_or_nul(text, at))) add(make_number(text, at, digits));
      at += digits;
    } else if (first == kOpen) {
      const std::size_t end = placeholder_end(text, at);
      at = end == at ? at + 1 : end;
    } else {
      ++at;
    }
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].has(kPlace | kPlaceStart)) find_place(i);
  }
}

void Reading::add(const Token& token) {
  if (!tokens_.empty()) {
    Token& last = tokens_.back();
    last.blank_behind = token.begin - last.end == 1 && text_[last.end] == ' ';
  }
  tokens_.push_back(token);
}

std::string_view Reading::gap(std::size_t i) const {
  if (i + 1 >= tokens_.size()) return "\n";
  return text_.substr(tokens_[i].end, tokens_[i + 1].begin - tokens_[i].end);
}

bool Reading::joined(std::size_t i) const {
  const auto between = gap(i);
  if (blank(i) || between == "  ") return true;
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
  std::size_t at = i;
  while (at < tokens_.size() && at - i < 6 && tokens_[at].is_word()) {
    if (const PlaceMatch place = place_at(at); place.word.has(kCountry)) return at + place.words;
    if (at == i && tokens_[at].has(kNationality) && at + 1 < tokens_.size() && blank(at) && tokens_[at + 1].is_word() &&
        equals_ignoring_case(word(tokens_[at + 1]), "republic"))
      return at + 2;
    if (!tokens_[at].does(role::kCountryForm)) return i;
    if (!blank(at) && gap(at) != "'s ") return i;
    ++at;
  }
  return i;
}

// A place of several words in small letters: not "of the", "to be".
bool Reading::may_begin_long_place(std::size_t i) const {
  if (!tokens_[i].has(kPlaceStart) || i + 1 >= tokens_.size()) return false;
  const Token& next = tokens_[i + 1];
  if (!next.is_word()) return false;
  if (tokens_[i].capital) {
    const bool link = next.letters <= 3 && i + 2 < tokens_.size() && tokens_[i + 2].capital;  // Trinidad and Tobago
    return next.capital || next.has(kParticle) || link;
  }
  constexpr unsigned kVeryCommon = 7;
  return tokens_[i].entry.frequency_grade() < kVeryCommon &&
         (next.has(kPlace | kFirstName | kSurname) || !next.entry.known() ||
          (next.does(role::kCountryForm) && next.letters > 3));
}

void Reading::find_place(std::size_t i) {
  std::array<char, 128> lower{};
  std::array<std::string_view, kMostPlaceWords> words;
  std::array<std::size_t, kMostPlaceWords> last_of;  // the token a word ends, SIZE_MAX inside one
  std::size_t count = 0, size = 0;
  Token& first = tokens_[i];
  const bool several = may_begin_long_place(i);
  if (!several && !first.has(kPlace)) return;
  first.place = {first.has(kPlace) ? first.entry.payload : 0};
  first.place_tokens = first.has(kPlace) ? 1 : 0;
  if (!several) return;
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
  }
  for (std::size_t most = count; most > 1;) {
    const PlaceMatch match = longest_place({words.data(), most});
    if (match.words < 2) return;
    if (const std::size_t last = last_of[match.words - 1]; last != SIZE_MAX) {
      first.place = match.word;
      first.place_tokens = static_cast<std::uint8_t>(last - i + 1);
      return;
    }
    most = match.words - 1;  // it ends inside a dashed word
  }
}

}  // namespace mlops::detect
