// Dates as people and systems write them: finding them in text and reading one that is a whole cell.
//
// Shapes: 2024-03-05 (also / and .), 20240305, HL7 202403051230[45], 3/5/2024, 5.3.2024, 03/05/24, 05-Mar-24,
// 5th of March 2024, March 5, 2024, Mar 2024, 2024-Mar-05, 03/2024, 2024-03, March 5, 3/5; full dates with a time of
// day. Month words in English, German, French, Spanish and Italian. Every date is valid in the Gregorian calendar,
// years 1800–2199. Numeric dates read month first where both orders are possible. Linear in the text.
// Thread-safety: free functions, plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mlops::detect {

enum class DateShape {
  kFull,       // year, month, day, separated
  kCompact,    // 20240305
  kYearMonth,  // 2024-03, March 2024
  kMonthDay,   // March 5, 3/5: no year
};

struct DateMatch {
  std::size_t begin = 0;
  std::size_t end = 0;
  DateShape shape = DateShape::kFull;
  int year = 0;  // 0: none; with two digits: 0–99
  int month = 0;
  int day = 0;  // 0: none
  bool two_digit_year = false;
  bool has_month_word = false;
  bool order_open = false;  // could as well be read day first
};

int days_in_month(int year, int month);
bool is_calendar_date(int year, int month, int day);

// Non-overlapping, in order.
std::vector<DateMatch> find_dates(std::string_view text);
// The date when the text, trimmed, is one date (with or without a time of day) and nothing else.
std::optional<DateMatch> read_date(std::string_view text);

}  // namespace mlops::detect
