#include "policies/cel/time.h"

#include <fmt/format.h>

#include <chrono>

#include "core/base/text.h"

namespace mlops::cel {
namespace {

constexpr std::int64_t kFirst = -62135596800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLast = 253402300799;   // 9999-12-31T23:59:59Z
constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::int64_t kDay = 86400;

Failure range() {
  return fail(ErrorCode::kInvalid, "cel_range", "out of range: times are of the years 1 to 9999");
}
Failure duration_range() {
  return fail(ErrorCode::kInvalid, "cel_range", "out of range: a duration is at most 292 years");
}
Failure bad_timestamp() {
  return fail(ErrorCode::kInvalid, "cel_bad_timestamp", "this is no RFC 3339 timestamp", "as in: 2026-11-29T12:00:00Z");
}
Failure bad_duration() {
  return fail(ErrorCode::kInvalid, "cel_bad_duration", "this is no duration", "as in: 36h, 90m, 1.5s");
}

// Takes exactly `count` digits.
bool take_digits(std::string_view& text, std::size_t count, std::int64_t& value) {
  if (text.size() < count) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char byte) {
  if (text.empty() || text.front() != byte) return false;
  text.remove_prefix(1);
  return true;
}

// "hh:mm" as seconds.
bool take_offset(std::string_view& text, std::int64_t& seconds) {
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  if (!take_digits(text, 2, hours) || !take(text, ':') || !take_digits(text, 2, minutes)) return false;
  seconds = hours * 3600 + minutes * 60;
  return hours < 24 && minutes < 60;
}

std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

bool take_date(std::string_view& text, std::int64_t& days) {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
      !take_digits(text, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  days = date.ok() ? days_of(year, month, day) : 0;
  return date.ok();
}

bool take_fraction(std::string_view& text, std::int64_t& nanos) {
  if (!take(text, '.')) return true;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 9; ++digits) {
    nanos = nanos * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  for (std::size_t i = digits; i < 9; ++i) nanos *= 10;
  return digits > 0;
}

std::string fraction_text(std::int64_t nanos) {
  if (nanos == 0) return {};
  auto text = fmt::format(".{:09}", nanos);
  while (text.back() == '0') text.pop_back();
  return text;
}

struct Unit {
  std::string_view word;
  std::int64_t nanos;
};
// Longer words before the words they begin with.
constexpr Unit kUnits[] = {{"ns", 1},     {"us", 1000},       {"µs", 1000},        {"ms", 1'000'000},
                           {"s", kNanos}, {"m", 60 * kNanos}, {"h", 3600 * kNanos}};

bool add_checked(std::int64_t& sum, std::int64_t more) {
  return !__builtin_add_overflow(sum, more, &sum);
}

// One "12.5h" onto `sum`, negative throughout when `sign` is, so that the smallest duration fits.
Status take_part(std::string_view& text, std::int64_t sign, std::int64_t& sum) {
  std::int64_t whole = 0;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits, text.remove_prefix(1)) {
    if (__builtin_mul_overflow(whole, std::int64_t{10}, &whole) || !add_checked(whole, sign * (text.front() - '0')))
      return duration_range();
  }
  double fraction = 0;
  std::int64_t billionths = 0;
  if (!text.empty() && text.front() == '.') {
    const auto before = text.size();
    if (!take_fraction(text, billionths) && digits == 0) return bad_duration();
    digits += before - text.size();
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
    fraction = static_cast<double>(billionths) / static_cast<double>(kNanos);
  }
  if (digits == 0) return bad_duration();
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.word)) continue;
    text.remove_prefix(unit.word.size());
    const auto rest =
        unit.nanos == kNanos ? billionths : static_cast<std::int64_t>(fraction * static_cast<double>(unit.nanos));
    if (__builtin_mul_overflow(whole, unit.nanos, &whole) || !add_checked(whole, sign * rest) ||
        !add_checked(sum, whole))
      return duration_range();
    return {};
  }
  return bad_duration();
}

}  // namespace

Result<Timestamp> make_timestamp(std::int64_t seconds, std::int64_t nanos) {
  if (nanos < 0) {
    nanos += kNanos;
    --seconds;
  } else if (nanos >= kNanos) {
    nanos -= kNanos;
    ++seconds;
  }
  if (seconds < kFirst || seconds > kLast) return range();
  return Timestamp{seconds, static_cast<std::int32_t>(nanos)};
}

Result<Timestamp> parse_timestamp(std::string_view text) {
  const auto dash = text.find('-');
  const bool long_year = dash != std::string_view::npos && dash > 4 && parse_int(text.substr(0, dash)).has_value();
  if (long_year) return range();
  std::int64_t days = 0;
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  std::int64_t offset = 0;
  if (!take_date(text, days) || !(take(text, 'T') || take(text, 't')) || !take_digits(text, 2, hours) ||
      !take(text, ':') || !take_digits(text, 2, minutes) || !take(text, ':') || !take_digits(text, 2, seconds) ||
      !take_fraction(text, nanos) || hours > 23 || minutes > 59 || seconds > 59) {
    return bad_timestamp();
  }
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool is_east = take(text, '+');
    if ((!is_east && !take(text, '-')) || !take_offset(text, offset)) return bad_timestamp();
    if (is_east) offset = -offset;
  }
  if (!text.empty()) return bad_timestamp();
  return make_timestamp(days * kDay + hours * 3600 + minutes * 60 + seconds + offset, nanos);
}

std::string format_timestamp(const Timestamp& time) {
  const auto parts = calendar(time, {});
  if (!parts) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", parts->year, parts->month + 1, parts->day, parts->hours,
                     parts->minutes, parts->seconds, fraction_text(time.nanos));
}

Result<Duration> parse_duration(std::string_view text) {
  const bool is_negative = take(text, '-');
  if (!is_negative) take(text, '+');
  if (text == "0") return Duration{};
  if (text.empty()) return bad_duration();
  Duration duration;
  while (!text.empty()) MLOPS_TRY(take_part(text, is_negative ? -1 : 1, duration.nanos));
  return duration;
}

std::string format_duration(const Duration& duration) {
  const auto seconds = duration.nanos / kNanos;
  const auto rest = duration.nanos % kNanos;
  const bool hides_sign = seconds == 0 && rest < 0;
  return fmt::format("{}{}{}s", hides_sign ? "-" : "", seconds, fraction_text(rest < 0 ? -rest : rest));
}

Result<Timestamp> add(const Timestamp& time, const Duration& duration) {
  return make_timestamp(time.seconds + duration.nanos / kNanos, time.nanos + duration.nanos % kNanos);
}

Result<Timestamp> subtract(const Timestamp& time, const Duration& duration) {
  return make_timestamp(time.seconds - duration.nanos / kNanos, time.nanos - duration.nanos % kNanos);
}

Result<Duration> difference(const Timestamp& a, const Timestamp& b) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(a.seconds - b.seconds, kNanos, &nanos) || !add_checked(nanos, a.nanos - b.nanos))
    return duration_range();
  return Duration{nanos};
}

Result<Calendar> calendar(const Timestamp& time, std::string_view timezone) {
  std::int64_t offset = 0;
  if (!timezone.empty() && timezone != "UTC" && timezone != "Z") {
    auto text = timezone;
    const bool is_west = take(text, '-');
    if (!is_west) take(text, '+');
    if (!take_offset(text, offset) || !text.empty()) {
      return fail(ErrorCode::kInvalid, "cel_bad_timezone", "only UTC and offsets like +02:00 are time zones here");
    }
    if (is_west) offset = -offset;
  }
  const auto local = time.seconds + offset;
  const auto days = local >= 0 ? local / kDay : -((-local + kDay - 1) / kDay);
  const auto of_day = static_cast<int>(local - days * kDay);
  const std::chrono::sys_days point{std::chrono::days(days)};
  const std::chrono::year_month_day date(point);
  Calendar parts;
  parts.year = int(date.year());
  parts.month = static_cast<int>(unsigned(date.month())) - 1;
  parts.day = static_cast<int>(unsigned(date.day()));
  parts.day_of_year = static_cast<int>(days - days_of(parts.year, 1, 1));
  parts.day_of_week = static_cast<int>(std::chrono::weekday(point).c_encoding());
  parts.hours = of_day / 3600;
  parts.minutes = of_day / 60 % 60;
  parts.seconds = of_day % 60;
  return parts;
}

}  // namespace mlops::cel
