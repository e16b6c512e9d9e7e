// Timestamps and durations of the expression language: texts, ranges, calendar parts.
//
// Only UTC and fixed offsets ("+02:00", "-09:30", "02:00") are time zones: names need a database, which is input that a
// pure expression must not have. Errors: kInvalid "cel_range", "cel_bad_timestamp", "cel_bad_duration",
// "cel_bad_timezone". Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "policies/cel/value.h"

namespace mlops::cel {

// RFC 3339 with Z or an offset, up to nine digits of fraction.
Result<Timestamp> parse_timestamp(std::string_view text);
std::string format_timestamp(const Timestamp& time);
// A signed sequence of numbers with units h, m, s, ms, us (µs), ns: "1h30m", "-1.5s".
Result<Duration> parse_duration(std::string_view text);
// Seconds: "1.5s", "-3600s".
std::string format_duration(const Duration& duration);

Result<Timestamp> make_timestamp(std::int64_t seconds, std::int64_t nanos);
Result<Timestamp> add(const Timestamp& time, const Duration& duration);
Result<Timestamp> subtract(const Timestamp& time, const Duration& duration);
Result<Duration> difference(const Timestamp& a, const Timestamp& b);

struct Calendar {
  std::int64_t year = 0;
  int month = 0;        // from 0
  int day = 0;          // of the month, from 1
  int day_of_year = 0;  // from 0
  int day_of_week = 0;  // from 0, a Sunday
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
};
Result<Calendar> calendar(const Timestamp& time, std::string_view timezone);

}  // namespace mlops::cel
