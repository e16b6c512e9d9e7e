#include "policies/engine/period.h"

#include <fmt/format.h>

#include <chrono>

namespace mlops::policy {
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kMonthsPerYear = 12;
constexpr std::int64_t kSecondsPerMinute = 60;
constexpr std::int64_t kSecondsPerHour = 3600;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMeanSecondsPerMonth = 2'629'746;
constexpr std::int64_t kUsPerSecond = 1'000'000;
constexpr std::int64_t kMostMonths = 12'000;

struct Unit {
  char letter;
  bool in_time;  // behind the T
  std::int64_t months;
  std::int64_t seconds;
};
// In the order ISO 8601 asks for.
constexpr Unit kUnits[] = {
    {'Y', false, kMonthsPerYear, 0},
    {'M', false, 1, 0},
    {'W', false, 0, 7 * kSecondsPerDay},
    {'D', false, 0, kSecondsPerDay},
    {'H', true, 0, kSecondsPerHour},
    {'M', true, 0, kSecondsPerMinute},
    {'S', true, 0, 1},
};

std::optional<std::int64_t> cut_number(std::string_view& text) {
  std::int64_t value = 0;
  std::size_t count = 0;
  while (count < text.size() && count < 10 && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count++] - '0');
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

}  // namespace

std::optional<Period> parse_period(std::string_view text) {
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  Period period;
  const Unit* next = std::begin(kUnits);
  bool in_time = false;
  bool any = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      text.remove_prefix(1);
    }
    const auto value = cut_number(text);
    if (!value || text.empty()) return std::nullopt;
    while (next != std::end(kUnits) && (next->letter != text.front() || next->in_time != in_time)) ++next;
    if (next == std::end(kUnits)) return std::nullopt;
    period.months += *value * next->months;
    period.seconds += *value * next->seconds;
    ++next;
    any = true;
    text.remove_prefix(1);
  }
  const bool bounded = period.months <= kMostMonths && period.seconds <= kMostMonths * kMeanSecondsPerMonth;
  if (!any || !bounded) return std::nullopt;
  return period;
}

std::int64_t Period::mean_seconds() const {
  return months * kMeanSecondsPerMonth + seconds;
}

std::string Period::to_string() const {
  std::string text = "P";
  if (months / kMonthsPerYear > 0) text += fmt::format("{}Y", months / kMonthsPerYear);
  if (months % kMonthsPerYear > 0) text += fmt::format("{}M", months % kMonthsPerYear);
  if (seconds / kSecondsPerDay > 0) text += fmt::format("{}D", seconds / kSecondsPerDay);
  if (const auto rest = seconds % kSecondsPerDay; rest > 0) {
    text += 'T';
    if (rest / kSecondsPerHour > 0) text += fmt::format("{}H", rest / kSecondsPerHour);
    if (rest % kSecondsPerHour / kSecondsPerMinute > 0) {
      text += fmt::format("{}M", rest % kSecondsPerHour / kSecondsPerMinute);
    }
    if (rest % kSecondsPerMinute > 0) text += fmt::format("{}S", rest % kSecondsPerMinute);
  }
  return text == "P" ? "P0D" : text;
}

TimestampUs add(TimestampUs start, const Period& period) {
  const chr::sys_time<chr::microseconds> time{chr::microseconds(start)};
  const auto day = chr::floor<chr::days>(time);
  const auto rest = time - day;
  chr::year_month_day date{day};
  date += chr::months(period.months);
  if (!date.ok()) date = date.year() / date.month() / chr::last;
  const auto moved = chr::sys_days(date) + rest;
  return chr::duration_cast<chr::microseconds>(moved.time_since_epoch()).count() + period.seconds * kUsPerSecond;
}

}  // namespace mlops::policy
