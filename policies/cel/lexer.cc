#include "policies/cel/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/base/text.h"
#include "policies/cel/ast.h"

namespace mlops::cel {
namespace {

constexpr std::array<std::string_view, 17> kReserved{"as",        "break",  "const",  "continue", "else", "for",
                                                     "function",  "if",     "import", "let",      "loop", "package",
                                                     "namespace", "return", "var",    "void",     "while"};
// Longer marks before their beginnings.
constexpr std::array<std::string_view, 23> kMarks{"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/",
                                                  "%",  "!",  "?",  ":",  "(",  ")",  "[", "]", "{", "}", ","};

struct Escape {
  char letter;
  char byte;
};
constexpr Escape kEscapes[] = {{'a', '\a'}, {'b', '\b'},  {'f', '\f'}, {'n', '\n'}, {'r', '\r'},  {'t', '\t'},
                               {'v', '\v'}, {'\\', '\\'}, {'?', '?'},  {'"', '"'},  {'\'', '\''}, {'`', '`'}};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}
bool is_name(char byte) {
  return is_letter(byte) || is_digit(byte);
}
bool is_field(char byte) {
  return is_name(byte) || byte == '.' || byte == '-' || byte == '/' || byte == ' ';
}

int digit_of(char byte) {
  if (is_digit(byte)) return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return 99;
}

void append_utf8(std::uint32_t point, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

}  // namespace

Failure Lexer::wrong(std::uint32_t offset, const std::string& message) const {
  return fail(error_at(source_, offset, "cel_syntax", message));
}

void Lexer::skip() {
  while (at_ < source_.size()) {
    if (std::string_view(" \t\n\f\r").find(source_[at_]) != std::string_view::npos) {
      ++at_;
    } else if (source_.substr(at_).starts_with("//")) {
      at_ = static_cast<std::uint32_t>(std::min(source_.find('\n', at_), source_.size()));
    } else {
      return;
    }
  }
}

Token Lexer::take(Token::Sort sort, std::uint32_t end) {
  Token token{sort, at_, end, source_.substr(at_, end - at_), {}, false};
  at_ = end;
  return token;
}

Result<Token> Lexer::next() {
  skip();
  if (at_ >= source_.size()) return Token{Token::Sort::kEnd, at_, at_, {}, {}, false};
  const char byte = peek();
  if (is_digit(byte) || (byte == '.' && is_digit(peek(1)))) return number();
  if (byte == '"' || byte == '\'') return text(0, false, false);
  if (byte == '`') return quoted_name();
  if (is_letter(byte)) {
    std::uint32_t prefix = 0;
    bool is_raw = false;
    bool is_bytes = false;
    for (; prefix < 2; ++prefix) {
      const char letter = static_cast<char>(peek(prefix) | 0x20);
      if (letter == 'r' && !is_raw) {
        is_raw = true;
      } else if (letter == 'b' && !is_bytes && !is_raw) {
        is_bytes = true;
      } else {
        break;
      }
    }
    if (prefix > 0 && (peek(prefix) == '"' || peek(prefix) == '\'')) return text(prefix, is_raw, is_bytes);
    auto end = at_;
    while (end < source_.size() && is_name(source_[end])) ++end;
    const auto word = source_.substr(at_, end - at_);
    if (word == "in") return take(Token::Sort::kMark, end);
    auto token = take(Token::Sort::kIdent, end);
    if (word == "true" || word == "false" || word == "null") {
      token.sort = Token::Sort::kLiteral;
      if (word != "null") token.value = Value(word == "true");
    } else if (std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end()) {
      token.sort = Token::Sort::kReserved;
    }
    return token;
  }
  if (byte == '.') return take(Token::Sort::kMark, at_ + 1);
  for (const auto mark : kMarks) {
    if (source_.substr(at_).starts_with(mark))
      return take(Token::Sort::kMark, at_ + static_cast<std::uint32_t>(mark.size()));
  }
  if (byte == '=') return wrong(at_, "one '=' compares nothing: write '=='");
  return wrong(at_, fmt::format("'{}' does not belong into an expression", printable(source_.substr(at_, 1))));
}

Result<Token> Lexer::number() {
  const bool is_hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
  auto end = at_ + (is_hex ? 2 : 0);
  const int base = is_hex ? 16 : 10;
  const auto first = end;
  while (end < source_.size() && digit_of(source_[end]) < base) ++end;
  const char after = end < source_.size() ? source_[end] : '\0';
  const bool is_real = !is_hex && ((after == '.' && end + 1 < source_.size() && is_digit(source_[end + 1])) ||
                                   after == 'e' || after == 'E');
  if (is_real) return real(end);
  if (end == first) return wrong(at_, "a number needs digits");
  std::uint64_t value = 0;
  const auto error = std::from_chars(source_.data() + first, source_.data() + end, value, base).ec;
  const auto begin = at_;
  const bool is_uint = after == 'u' || after == 'U';
  auto token = take(Token::Sort::kLiteral, end + (is_uint ? 1 : 0));
  if (at_ < source_.size() && is_name(source_[at_])) return wrong(at_, "a number ends where letters begin");
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  if (error != std::errc() || (!is_uint && value > kHalf)) return wrong(begin, "this number does not fit into 64 bits");
  token.is_min_int = !is_uint && value == kHalf;
  token.value = is_uint ? Value(value) : Value(static_cast<std::int64_t>(value));
  return token;
}

Result<Token> Lexer::real(std::uint32_t end) {
  if (source_[end] == '.') {
    ++end;
    while (end < source_.size() && is_digit(source_[end])) ++end;
  }
  if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
    ++end;
    if (end < source_.size() && (source_[end] == '+' || source_[end] == '-')) ++end;
    if (end >= source_.size() || !is_digit(source_[end])) return wrong(end, "an exponent needs digits");
    while (end < source_.size() && is_digit(source_[end])) ++end;
  }
  double value = 0;
  const auto error = std::from_chars(source_.data() + at_, source_.data() + end, value).ec;
  // Out of range is told of both ends: what is too small is nearly 0, what is too large is none.
  if (error != std::errc()) value = std::strtod(std::string(source_.substr(at_, end - at_)).c_str(), nullptr);
  if (!std::isfinite(value)) return wrong(at_, "this number does not fit into 64 bits");
  auto token = take(Token::Sort::kLiteral, end);
  if (at_ < source_.size() && is_name(source_[at_])) return wrong(at_, "a number ends where letters begin");
  token.value = Value(value);
  return token;
}

Result<Token> Lexer::quoted_name() {
  auto end = at_ + 1;
  while (end < source_.size() && is_field(source_[end])) ++end;
  if (end == at_ + 1 || end >= source_.size() || source_[end] != '`') return wrong(at_, "a quoted name is not closed");
  auto token = take(Token::Sort::kQuoted, end + 1);
  token.text = token.text.substr(1, token.text.size() - 2);
  return token;
}

Result<Token> Lexer::text(std::uint32_t prefix, bool is_raw, bool is_bytes) {
  Token token{Token::Sort::kLiteral, at_, 0, {}, {}, false};
  at_ += prefix;
  const char quote = peek();
  const std::string triple(3, quote);
  const bool is_triple = source_.substr(at_).starts_with(triple);
  const std::string_view closing = is_triple ? std::string_view(triple) : std::string_view(triple).substr(0, 1);
  at_ += static_cast<std::uint32_t>(closing.size());
  std::string out;
  while (!source_.substr(at_).starts_with(closing)) {
    if (at_ >= source_.size()) return wrong(token.begin, "a text is not closed");
    const char byte = peek();
    if (!is_triple && (byte == '\n' || byte == '\r')) return wrong(token.begin, "a text is not closed on its line");
    if (byte == '\\' && !is_raw) {
      MLOPS_TRY(unescape(is_bytes, out));
    } else {
      out += byte;
      ++at_;
    }
  }
  at_ += static_cast<std::uint32_t>(closing.size());
  token.end = at_;
  token.value = is_bytes ? Value(Bytes{std::move(out)}) : Value(std::move(out));
  return token;
}

// REQUIRES: at the backslash.
Status Lexer::unescape(bool is_bytes, std::string& out) {
  const auto begin = at_;
  const char letter = peek(1);
  at_ += 2;
  for (const auto& row : kEscapes) {
    if (row.letter != letter) continue;
    out += row.byte;
    return {};
  }
  std::uint32_t point = 0;
  if (letter == 'x' || letter == 'X') {
    MLOPS_ASSIGN(point, code_point(2, 16));
  } else if (letter >= '0' && letter <= '3') {
    --at_;
    MLOPS_ASSIGN(point, code_point(3, 8));
  } else if ((letter == 'u' || letter == 'U') && !is_bytes) {
    MLOPS_ASSIGN(point, code_point(letter == 'u' ? 4 : 8, 16));
  } else {
    return wrong(begin, "this escape is unknown");
  }
  if (is_bytes) {
    out += static_cast<char>(point);
    return {};
  }
  if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return wrong(begin, "this is no Unicode character");
  append_utf8(point, out);
  return {};
}

Result<std::uint32_t> Lexer::code_point(int digits, int base) {
  std::uint32_t point = 0;
  for (int i = 0; i < digits; ++i, ++at_) {
    if (digit_of(peek()) >= base) return wrong(at_, "an escape needs more digits");
    point = point * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit_of(peek()));
  }
  return point;
}

}  // namespace mlops::cel
