// Private to policies/detect: a text cut into words and numbers, each word looked up in the dictionary once.
//
// What names, places and addresses are recognised from. Placeholders of an earlier redaction ("[NAME]"), and words that
// belong to an e-mail address, a path or an identifier, are no tokens. Linear in the text. Thread-safety: immutable.
// Ownership: the text must outlive the reading.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace mlops::detect {

enum class TokenKind : std::uint8_t { kWord, kNumber };

struct Token {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;      // without a possessive 's
  std::uint32_t bits = 0;     // name_words.h; 0: an unknown word
  std::uint16_t letters = 0;  // of a word: bytes without trailing digits; of a number: digits
  TokenKind kind = TokenKind::kWord;
  bool capital = false;       // begins with a capital, or with a letter beyond ASCII
  bool all_capitals = false;  // two letters or more, none small
  bool possessive = false;

  bool is_word() const { return kind == TokenKind::kWord; }
  bool is_number() const { return kind == TokenKind::kNumber; }
  bool has(std::uint32_t bit) const { return (bits & bit) != 0; }
  bool initial() const { return is_word() && capital && letters == 1; }
};

class Reading {
 public:
  explicit Reading(std::string_view text);

  std::string_view text() const { return text_; }
  const std::vector<Token>& tokens() const { return tokens_; }
  std::string_view word(const Token& token) const { return text_.substr(token.begin, token.letters); }
  // Between token `i` and the next; "\n" behind the last.
  std::string_view gap(std::size_t i) const;

 private:
  std::string_view text_;
  std::vector<Token> tokens_;
};

}  // namespace mlops::detect
