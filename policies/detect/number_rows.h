// Private to policies/detect: does a number written in groups stand in a row of numbers?
//
// "617 555 0123" in a sentence is one telephone number; in a table whose columns blanks part it is three cells. A line
// without a word is a row of a table when other numbers stand beside the candidate on it, and when the candidate is the
// whole line but the line before or behind it holds numbers of another kind. Thread-safety: pure functions; linear in
// the lines looked at, of which at most kLineReach bytes either side count.
#pragma once

#include <string_view>

#include "policies/detect/scan.h"

namespace mlops::detect {

// No finding counts against a table from here on (score.h): what stands in a row of numbers is held down to it.
inline constexpr double kMostAmongNumbers = 0.45;
inline constexpr std::size_t kLineReach = 160;

// The line around [begin, end) without blanks at its ends, cut at kLineReach.
Range line_around(std::string_view text, std::size_t begin, std::size_t end);
// The nearest lines before and behind; empty when there are none.
Range line_before(std::string_view text, std::size_t begin);
Range line_behind(std::string_view text, std::size_t end);

// Only numbers, groups of hexadecimal digits with a number in them, and punctuation, and at least one digit.
bool holds_numbers_only(std::string_view line);

// Is another number beside [begin, end) on a line without words?
bool beside_numbers(std::string_view text, std::size_t begin, std::size_t end);

// The same, or the candidate is a line of its own and a neighbouring line holds numbers that are not `of_its_kind`
// (std::string_view → bool).
template <class OfItsKind>
bool in_number_table(std::string_view text, std::size_t begin, std::size_t end, const OfItsKind& of_its_kind) {
  const Range line = line_around(text, begin, end);
  if (line.begin != begin || line.end != end) return beside_numbers(text, begin, end);
  for (const Range& other : {line_before(text, begin), line_behind(text, end)}) {
    const std::string_view neighbour = text.substr(other.begin, other.end - other.begin);
    if (holds_numbers_only(neighbour) && !of_its_kind(neighbour)) return true;
  }
  return false;
}

}  // namespace mlops::detect
