// A span of calendar time as ISO 8601 writes it: P6Y, P14D, P1Y6M, PT12H. Laws count in months and years, so both are
// kept and added to a date by the calendar (31 January and one month: the last day of February).
// Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace mlops::policy {

struct Period {
  std::int64_t months = 0;
  std::int64_t seconds = 0;

  std::string to_string() const;
  // Length with the mean Gregorian month (365.2425 / 12 days), to compare P72M, P6Y and P2190D.
  std::int64_t mean_seconds() const;
  bool operator==(const Period& other) const { return mean_seconds() == other.mean_seconds(); }
  bool operator<(const Period& other) const { return mean_seconds() < other.mean_seconds(); }
  bool operator>(const Period& other) const { return other < *this; }
};

// nullopt: not of that form, nothing in it, or longer than 1,000 years. Weeks count as seven days.
std::optional<Period> parse_period(std::string_view text);
// REQUIRES: start within the years 1 to 9999.
TimestampUs add(TimestampUs start, const Period& period);

}  // namespace mlops::policy
