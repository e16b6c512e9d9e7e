#include "policies/data/json_bytes.h"

#include <array>
#include <bit>
#include <cstdint>

#include "core/base/json_text.h"
#include "policies/data/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mlops::data {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

constexpr std::array<bool, 256> make_stops() {
  std::array<bool, 256> stops{};
  for (std::size_t c = 0; c < 0x20; ++c) stops[c] = true;
  stops['"'] = stops['\\'] = true;
  return stops;
}
constexpr auto kStops = make_stops();

constexpr std::array<bool, 256> make_marks() {
  std::array<bool, 256> marks{};
  for (const char c : {'"', '{', '}', '[', ']'}) marks[static_cast<unsigned char>(c)] = true;
  return marks;
}
constexpr auto kMarks = make_marks();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

const char* skip_digits(const char* at, const char* end) {
  while (at < end && is_digit(*at)) ++at;
  return at;
}

const char* skip_blanks(const char* at, const char* end) {
  while (at < end && is_json_blank(*at)) ++at;
  return at;
}

// Past the closing quote of the string that begins at `at`; nullptr when it does not end.
const char* end_of_string(const char* at, const char* end) {
  for (++at; (at = find_string_stop(at, end)) < end; ++at) {
    if (*at == '"') return at + 1;
    if (*at == '\\' && ++at == end) return nullptr;
  }
  return nullptr;
}

// The four hex digits after "\u"; nullopt when they are not.
std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t code = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = text[i];
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      code = code << 4 | static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      code = code << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return code;
}

bool is_high_half(std::uint32_t code) {
  return code >= 0xD800 && code < 0xDC00;
}
bool is_low_half(std::uint32_t code) {
  return code >= 0xDC00 && code < 0xE000;
}

// The code point of the escape whose "\u" ends before `rest`; moves `rest` past it.
std::optional<std::uint32_t> take_code_point(std::string_view& rest) {
  const auto first = hex4(rest);
  if (!first) return std::nullopt;
  rest.remove_prefix(4);
  if (is_low_half(*first)) return kReplacement;
  if (!is_high_half(*first)) return first;
  if (!rest.starts_with("\\u")) return kReplacement;
  const auto second = hex4(rest.substr(2));
  if (!second || !is_low_half(*second)) return kReplacement;
  rest.remove_prefix(6);
  return 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00);
}

char short_escape(char c) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const auto at = kLetters.find(c);
  return at == std::string_view::npos ? '\0' : kMeanings[at];
}

}  // namespace

const char* find_string_stop(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i stops =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at < end && !kStops[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

const char* find_bracket_or_quote(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i opener = _mm_set1_epi8('{');
  const __m128i closer = _mm_set1_epi8('}');
  const __m128i bit = _mm_set1_epi8(0x20);  // between a bracket and a brace
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i braces = _mm_or_si128(bytes, bit);
    const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
                                       _mm_or_si128(_mm_cmpeq_epi8(braces, opener), _mm_cmpeq_epi8(braces, closer)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at < end && !kMarks[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

const char* end_of_number(const char* at, const char* end) {
  if (at < end && *at == '-') ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  at = *at == '0' ? at + 1 : skip_digits(at, end);
  if (at < end && *at == '.') {
    const char* const fraction = ++at;
    at = skip_digits(at, end);
    if (at == fraction) return nullptr;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    const char* const exponent = at;
    at = skip_digits(at, end);
    if (at == exponent) return nullptr;
  }
  return at;
}

bool is_json_number(std::string_view text) {
  const char* const end = text.data() + text.size();
  return !text.empty() && end_of_number(text.data(), end) == end;
}

bool decode_json_string(std::string_view inner, std::string& into) {
  while (!inner.empty()) {
    const auto escape = inner.find('\\');
    into.append(inner.substr(0, escape));
    if (escape == std::string_view::npos) return true;
    inner.remove_prefix(escape + 1);
    if (inner.empty()) return false;
    const char kind = inner[0];
    inner.remove_prefix(1);
    if (kind == 'u') {
      const auto code = take_code_point(inner);
      if (!code) return false;
      append_code_point(into, *code);
    } else if (const char meaning = short_escape(kind)) {
      into.push_back(meaning);
    } else {
      return false;
    }
  }
  return true;
}

void append_quoted(std::string& out, std::string_view text) {
  const char* const end = text.data() + text.size();
  if (find_string_stop(text.data(), end) != end) return append_json_string(out, text);
  out.push_back('"');
  out.append(text);
  out.push_back('"');
}

std::size_t end_of_value(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin;
  int depth = 0;
  if (at < end && !kMarks[static_cast<unsigned char>(*at)]) {
    while (at < end && !is_json_blank(*at) && *at != ',' && *at != '}' && *at != ']') ++at;
    return static_cast<std::size_t>(at - begin);
  }
  while (at < end) {
    if (*at == '"') {
      at = end_of_string(at, end);
      if (!at) return std::string_view::npos;
    } else {
      if (*at == '{' || *at == '[') ++depth;
      if (*at == '}' || *at == ']') --depth;
      ++at;
    }
    if (depth <= 0) return static_cast<std::size_t>(at - begin);
    at = find_bracket_or_quote(at, end);
  }
  return std::string_view::npos;
}

std::optional<std::string_view> find_member(std::string_view text, std::string_view key) {
  const char* const end = text.data() + text.size();
  if (!text.starts_with('{')) return std::nullopt;
  const char* at = skip_blanks(text.data() + 1, end);
  while (at < end && *at == '"') {
    const char* const key_end = end_of_string(at, end);
    if (!key_end) return std::nullopt;
    const std::string_view name(at + 1, static_cast<std::size_t>(key_end - at - 2));
    at = skip_blanks(key_end, end);
    if (at == end || *at != ':') return std::nullopt;
    at = skip_blanks(at + 1, end);
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    const auto length = end_of_value(rest);
    if (length == std::string_view::npos) return std::nullopt;
    if (name == key) return rest.substr(0, length);
    at = skip_blanks(at + length, end);
    if (at == end || *at != ',') return std::nullopt;
    at = skip_blanks(at + 1, end);
  }
  return std::nullopt;
}

std::optional<std::string_view> plain_string(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.find('\\') != std::string_view::npos) return std::nullopt;
  return raw.substr(1, raw.size() - 2);
}

}  // namespace mlops::data
