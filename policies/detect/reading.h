// Private to policies/detect: a text cut into words and numbers, each word looked up in the dictionary once.
//
// What names, places and addresses are recognised from. Placeholders of an earlier redaction ("[NAME]"), and words that
// belong to an e-mail address, a path or an identifier, are no tokens. Linear in the text. Thread-safety: immutable.
// Ownership: the text must outlive the reading.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "policies/detect/dictionary.h"

namespace mlops::detect {

enum class TokenKind : std::uint8_t { kWord, kNumber };

struct Token {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;    // without a possessive 's
  Word entry;               // of the dictionary
  std::uint32_t roles = 0;  // word_roles.h
  std::uint32_t key = 0;    // equal for equal words, whatever their case
  Word place;               // the longest place that begins here
  std::uint8_t place_tokens = 0;
  std::uint16_t letters = 0;  // of a word: bytes without trailing digits; of a number: digits
  TokenKind kind = TokenKind::kWord;
  bool capital = false;       // begins with a capital, or with a letter beyond ASCII
  bool all_capitals = false;  // two letters or more, none small
  bool possessive = false;
  bool blank_behind = false;  // one blank, and the next token

  bool is_word() const { return kind == TokenKind::kWord; }
  bool is_number() const { return kind == TokenKind::kNumber; }
  bool has(unsigned bit) const { return entry.has(bit); }
  bool does(std::uint32_t role) const { return (roles & role) != 0; }
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
  // gap(i) == " ", which is asked most.
  bool blank(std::size_t i) const { return tokens_[i].blank_behind; }
  // Does a blank, or the dot of an initial or abbreviation and blanks, lie between token `i` and the next?
  bool joined(std::size_t i) const;
  // Nothing, or the end of a sentence, a line or an opening quote, is before token `i`.
  bool begins_sentence(std::size_t i) const;
  // The longest place of the gazetteer that begins with token `i`: `words` counts tokens.
  PlaceMatch place_at(std::size_t i) const { return {tokens_[i].place_tokens, tokens_[i].place}; }
  // Behind a country with its form ("the People's Republic of China", "Chad") that begins with token `i`; `i` without.
  std::size_t country_end(std::size_t i) const;

 private:
  void add(const Token& token);
  bool may_begin_long_place(std::size_t i) const;
  void find_place(std::size_t i);

  std::string_view text_;
  std::vector<Token> tokens_;
};

}  // namespace mlops::detect
