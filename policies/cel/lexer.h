// Cuts the source of an expression into tokens. Private to policies/cel. Errors: kInvalid "cel_syntax" with
// line:column. Thread-safety: belongs to one thread; borrows the source.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "policies/cel/value.h"

namespace mlops::cel {

struct Token {
  enum class Sort { kEnd, kIdent, kReserved, kQuoted, kLiteral, kMark };
  Sort sort = Sort::kEnd;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string_view text;    // of kIdent, kReserved, kMark ("&&", "in"), and without its backticks of kQuoted
  Value value;              // of kLiteral; a number has no sign
  bool is_min_int = false;  // 9223372036854775808, which is a number only behind a minus
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  Result<Token> next();

 private:
  void skip();
  Result<Token> number();
  Result<Token> real(std::uint32_t end);
  Result<Token> text(std::uint32_t prefix, bool is_raw, bool is_bytes);
  Status unescape(bool is_bytes, std::string& out);
  Result<std::uint32_t> code_point(int digits, int base);
  Result<Token> quoted_name();
  Token take(Token::Sort sort, std::uint32_t end);
  Failure wrong(std::uint32_t offset, const std::string& message) const;
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  std::string_view source_;
  std::uint32_t at_ = 0;
};

}  // namespace mlops::cel
