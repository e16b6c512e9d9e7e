// A date together with how it was written, so that another date can be written the same way.
//
// Read are whole cells: 2024-03-05, 2024/3/5, 5.3.2024, 3/5/2024, 20240305, HL7 202403051230[45], 05-Mar-2024,
// 5 March 2024, March 5, 2024, 2024-Mar-05; each with a time of day behind it, which stays. English month words; years
// of four digits (1000 … 9999). Of numeric dates with the year last, `order` says which number is the month; with
// kBySeparator that is the first one between slashes and the second one otherwise, whatever the numbers are: a column
// must not be read in two ways. Thread-safety: free functions, plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::mask {

enum class DateOrder { kBySeparator, kMonthFirst, kDayFirst };

struct DatePiece {
  enum class Kind { kText, kYear, kMonth, kMonthWord, kDay };
  Kind kind = Kind::kText;
  std::string_view text;  // as written; borrowed from the cell
};

struct WrittenDate {
  std::chrono::sys_days day;
  std::vector<DatePiece> pieces;
};

// nullopt: not such a date, or not one of the calendar.
std::optional<WrittenDate> read_written_date(std::string_view cell, DateOrder order);
// `day` in the form of `date`: its separators, padding, word length and letter case. nullopt: a year that does not fit.
std::optional<std::string> write_like(const WrittenDate& date, std::chrono::sys_days day);

}  // namespace mlops::mask
