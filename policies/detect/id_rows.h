// Private to policies/detect: the table of identifiers that have a shape of their own.
//
// Adding one is adding a row (and, where it has a check digit, a function in id_checks). One scanner (id_scanner.h)
// looks for all rows in one pass; each row is a detector too (ids.h). Thread-safety: static storage.
#pragma once

#include <span>
#include <string_view>

#include "policies/detect/header_words.h"
#include "policies/detect/score.h"

namespace mlops::detect {

// What a failed check digit means without context. With a keyword or a column's name it only lowers: mistyped numbers
// still identify.
enum class OnFailedCheck { kLowers, kVetoes };

struct IdRow {
  std::string_view id;          // "uk_nhs": the detector's and the class's name
  std::string_view country;     // ISO 3166-1 alpha-2; empty: everywhere
  std::string_view class_name;  // the policy class it is one of ("national_id"); equal to id where it has its own
  std::string_view name;
  // Alternatives between bars. 9 digit, A letter, N either, P one of - +, S a century sign of Finland; _ one of blank,
  // dash, dot, the same throughout; anything else itself.
  std::string_view shapes;
  bool (*holds)(std::string_view compact) = nullptr;  // upper case, separators gone (P and S stay)
  double false_positive = 1;                          // share of random strings of the shape that hold
  OnFailedCheck on_failed = OnFailedCheck::kVetoes;
  std::string_view words;    // keywords between bars, lower case, as people write them
  std::string_view headers;  // column names: words of one rule divided by blanks, rules by bars
  std::string_view vector;   // a valid one
  // A row without shapes: a token of this many characters with three digits in it, right behind a keyword.
  struct {
    std::size_t least = 0;
    std::size_t most = 0;
  } led = {};
};

std::span<const IdRow> national_id_rows();
std::span<const IdRow> other_id_rows();

}  // namespace mlops::detect
