// Private to policies: a plain shadow of a text, with the way back, against identifiers hidden by Unicode.
//
// Format characters, variation selectors, tags, combining marks and C1 controls vanish; compatibility forms (full
// width, ligatures, mathematical, circled and superscript characters), decimal digits of any script, letters of other
// scripts that look like Latin ones, accented letters, dashes, blanks and quotes become ASCII; other letters lose their
// marks, so that composed and decomposed forms are one. Everything else, malformed bytes included, stays. The table is
// fold_table.h. Linear; runs without such characters are copied as they are. Thread-safety: free function, plain value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

class Folded {
 public:
  std::string text;

  // The bytes of the original behind a part of `text`: whole characters, and the vanished ones inside and right behind.
  // REQUIRES: a non-empty span of `text`.
  Span to_original(const Span& span) const;

 private:
  friend Folded fold(std::string_view text);

  // Up to the next piece, byte follows byte in both, or (whole) one character became all of it.
  struct Piece {
    std::size_t begin;  // in text
    std::size_t place;  // in the original, twice, and one more where whole

    Piece(std::size_t at, std::size_t original, bool is_whole) : begin(at), place(original * 2 + (is_whole ? 1 : 0)) {}
    std::size_t original() const { return place / 2; }
    bool whole() const { return place % 2 != 0; }
  };
  void add(const Piece& piece);
  std::size_t piece_of(std::size_t at) const;

  std::vector<Piece> pieces_;  // by begin; the last one is the end of both
};

bool is_ascii(std::string_view text);
Folded fold(std::string_view text);

}  // namespace mlops::detect
