#include "core/base/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "core/base/text.h"

namespace mlops {
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kUsPerSecond = 1'000'000;

// Reads a time from left to right; every step that does not match leaves the reader failed.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool skip(char wanted) {
    if (peek() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Exactly `count` digits within [min, max].
  std::optional<int> digits(std::size_t count, int min, int max) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    if (value < min || value > max) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

  // 1 to 9 digits after the point, as microseconds (finer ones are cut off).
  std::optional<std::int64_t> fraction_us() {
    std::int64_t value_us = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && peek() >= '0' && peek() <= '9'; rest_.remove_prefix(1), ++count) {
      if (count < 6) value_us = value_us * 10 + (peek() - '0');
    }
    if (count == 0 || count > 9) return std::nullopt;
    for (; count < 6; ++count) value_us *= 10;
    return value_us;
  }

 private:
  std::string_view rest_;
};

std::optional<chr::sys_days> read_date(TimeReader& reader) {
  const auto year = reader.digits(4, 1, 9999);
  if (!year || !reader.skip('-')) return std::nullopt;
  const auto month = reader.digits(2, 1, 12);
  if (!month || !reader.skip('-')) return std::nullopt;
  const auto day = reader.digits(2, 1, 31);
  if (!day) return std::nullopt;
  const chr::year_month_day date{chr::year(*year), chr::month(static_cast<unsigned>(*month)),
                                 chr::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return chr::sys_days(date);
}

// HH:MM[:SS[.fraction]] as microseconds of the day.
std::optional<std::int64_t> read_time_of_day_us(TimeReader& reader, bool seconds_required) {
  const auto hour = reader.digits(2, 0, 23);
  if (!hour || !reader.skip(':')) return std::nullopt;
  const auto minute = reader.digits(2, 0, 59);
  if (!minute) return std::nullopt;
  std::int64_t time_us = (*hour * 3600 + *minute * 60) * kUsPerSecond;
  if (!reader.skip(':')) return seconds_required ? std::nullopt : std::optional(time_us);
  const auto second = reader.digits(2, 0, 59);
  if (!second) return std::nullopt;
  time_us += *second * kUsPerSecond;
  if (!reader.skip('.')) return time_us;
  const auto fraction_us = reader.fraction_us();
  if (!fraction_us) return std::nullopt;
  return time_us + *fraction_us;
}

// Z or ±HH:MM as microseconds to subtract.
std::optional<std::int64_t> read_offset_us(TimeReader& reader) {
  if (reader.skip('Z') || reader.skip('z')) return 0;
  const bool east = reader.peek() == '+';
  if (!reader.skip('+') && !reader.skip('-')) return std::nullopt;
  const auto hours = reader.digits(2, 0, 23);
  if (!hours || !reader.skip(':')) return std::nullopt;
  const auto minutes = reader.digits(2, 0, 59);
  if (!minutes) return std::nullopt;
  const std::int64_t offset_us = (*hours * 3600 + *minutes * 60) * kUsPerSecond;
  return east ? offset_us : -offset_us;
}

std::optional<TimestampUs> read_timestamp(std::string_view text) {
  TimeReader reader(text);
  const auto date = read_date(reader);
  if (!date) return std::nullopt;
  const std::int64_t day_us = chr::duration_cast<chr::microseconds>(date->time_since_epoch()).count();
  if (reader.at_end()) return day_us;

  const bool spaced = reader.peek() == ' ';
  if (!reader.skip('T') && !reader.skip('t') && !reader.skip(' ')) return std::nullopt;
  const auto time_us = read_time_of_day_us(reader, !spaced);
  if (!time_us) return std::nullopt;
  // The form people type, "2026-11-23 20:15", is UTC; a "T" time without an offset is ambiguous and refused.
  if (spaced && reader.at_end()) return day_us + *time_us;
  const auto offset_us = read_offset_us(reader);
  if (!offset_us || !reader.at_end()) return std::nullopt;
  return day_us + *time_us - *offset_us;
}

}  // namespace

TimestampUs SystemClock::now_us() const {
  return chr::duration_cast<chr::microseconds>(chr::system_clock::now().time_since_epoch()).count();
}

std::string format_rfc3339(TimestampUs time_us) {
  const chr::sys_time<chr::microseconds> time{chr::microseconds(time_us)};
  const auto day = chr::floor<chr::days>(time);
  const chr::year_month_day date(day);
  const chr::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<TimestampUs> parse_rfc3339(std::string_view text) {
  if (const auto time_us = read_timestamp(text)) return *time_us;
  return fail(ErrorCode::kInvalid, "bad_time", fmt::format("not a time: '{}'", printable(text.substr(0, 64))),
              "write 2026-11-23T20:15:01Z, 2026-11-23T21:15:01+01:00, \"2026-11-23 20:15\" (UTC) or 2026-11-23");
}

}  // namespace mlops
