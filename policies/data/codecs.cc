#include "policies/data/codecs.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

constexpr std::uint8_t kNoValue = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoValue);
  for (std::uint8_t i = 0; i < 26; ++i) {
    values[static_cast<std::size_t>('A' + i)] = i;
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::uint8_t>(26 + i);
  }
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = static_cast<std::uint8_t>(52 + i);
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  return values;
}
constexpr auto kValues = make_values();

// The code points from U+00A0 on, in order (HTML 4, Latin-1 entities).
constexpr std::string_view kLatin1[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
    "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
    "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave",
    "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",
    "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",
    "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute",
    "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
    "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
    "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};
constexpr std::uint32_t kLatin1First = 0xA0;

constexpr std::pair<std::string_view, char> kAscii[] = {
    {"amp", '&'},      {"lt", '<'},   {"gt", '>'},     {"quot", '"'},   {"apos", '\''},  {"commat", '@'},
    {"period", '.'},   {"num", '#'},  {"colon", ':'},  {"sol", '/'},    {"lowbar", '_'}, {"plus", '+'},
    {"hyphen", '-'},   {"dash", '-'}, {"comma", ','},  {"lpar", '('},   {"rpar", ')'},   {"Tab", '\t'},
    {"NewLine", '\n'}, {"semi", ';'}, {"equals", '='}, {"percnt", '%'}, {"bsol", '\\'},  {"ast", '*'},
};
constexpr std::size_t kLongestEntity = 10;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte of two hex digits at `at`, -1 when they are none.
int hex_byte(std::string_view text, std::size_t at) {
  if (at + 2 > text.size()) return -1;
  const int high = hex_value(text[at]);
  const int low = hex_value(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

struct Entity {
  std::uint32_t code = 0;
  std::size_t size = 0;  // 0: none
};

// The number after "&#", with or without its semicolon.
Entity numeric_entity(std::string_view text) {
  std::size_t at = 2;
  const bool is_hex = at < text.size() && (text[at] == 'x' || text[at] == 'X');
  if (is_hex) ++at;
  const std::size_t digits = at;
  std::uint32_t code = 0;
  for (; at < text.size(); ++at) {
    const int value = hex_value(text[at]);
    if (value < 0 || (!is_hex && value > 9)) break;
    code = std::min<std::uint32_t>(code * (is_hex ? 16 : 10) + static_cast<std::uint32_t>(value), 0x110000);
  }
  if (at == digits || code == 0) return {};
  if (at < text.size() && text[at] == ';') ++at;
  return {code, at};
}

// The entity that begins at text[0], an ampersand.
Entity entity_of(std::string_view text) {
  if (text.starts_with("&#")) return numeric_entity(text);
  const auto end = text.substr(0, kLongestEntity).find(';');
  if (end == std::string_view::npos) return {};
  const auto name = text.substr(1, end - 1);
  for (const auto& [word, c] : kAscii) {
    if (word == name) return {static_cast<std::uint32_t>(c), end + 1};
  }
  const auto found = std::find(std::begin(kLatin1), std::end(kLatin1), name);
  if (found == std::end(kLatin1)) return {};
  return {kLatin1First + static_cast<std::uint32_t>(found - std::begin(kLatin1)), end + 1};
}

// Behind another sign it is the padding of base64.
bool is_soft_line_end(std::string_view text, std::size_t at) {
  if (at > 0 && text[at - 1] == '=') return false;
  return text.substr(at, 2) == "=\n" || text.substr(at, 3) == "=\r\n";
}

}  // namespace

bool is_base64_byte(char c) {
  return kValues[static_cast<unsigned char>(c)] != kNoValue;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (!text.empty() && (text.back() == '=' || text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t letters = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNoValue) return std::nullopt;
    ++letters;
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFF));
  }
  if (letters % 4 == 1) return std::nullopt;
  return bytes;
}

bool decode_base64_head(std::string_view text, std::array<char, 3>& bytes) {
  if (text.size() < 4) return false;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(text[i])];
    if (value == kNoValue) return false;
    bits = bits << 6 | value;
  }
  bytes = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
  return true;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  bool found = false;
  const bool plus_is_blank = text.find(' ') == std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? hex_byte(text, i + 1) : -1;
    if (byte >= 0) {
      out.push_back(static_cast<char>(byte));
      found = true;
      i += 2;
    } else {
      out.push_back(text[i] == '+' && plus_is_blank ? ' ' : text[i]);
    }
  }
  if (!found) return std::nullopt;
  return to_text(std::move(out));
}

std::optional<std::string> decode_quoted_printable(std::string_view text) {
  std::string out;
  bool found = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out.push_back(text[i]);
      continue;
    }
    const int byte = hex_byte(text, i + 1);
    if (byte >= 0) {
      if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') return std::nullopt;
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else if (is_soft_line_end(text, i)) {
      i += text[i + 1] == '\r' ? 2 : 1;
    } else {
      out.push_back('=');
      continue;
    }
    found = true;
  }
  if (!found) return std::nullopt;
  return to_text(std::move(out));
}

std::optional<std::string> decode_entities(std::string_view text) {
  std::string out;
  bool found = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto entity = text[i] == '&' ? entity_of(text.substr(i)) : Entity{};
    if (entity.size == 0) {
      out.push_back(text[i++]);
      continue;
    }
    found = true;
    append_code_point(out, entity.code);
    i += entity.size;
  }
  if (!found) return std::nullopt;
  return out;
}

std::string to_text(std::string bytes) {
  if (first_invalid_utf8(bytes) == std::string_view::npos) return bytes;
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) append_code_point(text, static_cast<unsigned char>(c));
  return text;
}

}  // namespace mlops::data
