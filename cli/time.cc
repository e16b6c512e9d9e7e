#include "cli/time.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli/session.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteS = 60;
constexpr std::int64_t kHourS = 60 * kMinuteS;
constexpr std::int64_t kDayS = 24 * kHourS;
constexpr std::int64_t kLongestAgoS = 200 * 366 * kDayS;
constexpr std::int64_t kRelativeUpToS = 60 * kDayS;
// The client's clock may run ahead of what it asks about; a little future is not a mistake.
constexpr std::int64_t kClockSlackS = 5 * kMinuteS;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 20> kUnits{{
    {"s", 1},        {"sec", 1},        {"secs", 1},         {"second", 1},        {"seconds", 1},
    {"m", kMinuteS}, {"min", kMinuteS}, {"mins", kMinuteS},  {"minute", kMinuteS}, {"minutes", kMinuteS},
    {"h", kHourS},   {"hour", kHourS},  {"hours", kHourS},   {"d", kDayS},         {"day", kDayS},
    {"days", kDayS}, {"w", 7 * kDayS},  {"week", 7 * kDayS}, {"weeks", 7 * kDayS}, {"hrs", kHourS},
}};

std::optional<std::int64_t> unit_seconds(std::string_view word) {
  for (const auto& [name, seconds] : kUnits) {
    if (name == word) return seconds;
  }
  return std::nullopt;
}

// "2h", "2 h", "3 days", "an hour" → seconds.
std::optional<std::int64_t> parse_span_s(std::string_view text) {
  text = trim(text);
  if (text.starts_with("a ") || text.starts_with("an ")) return unit_seconds(trim(text.substr(text.find(' '))));
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_int(text.substr(0, digits));
  const auto unit = unit_seconds(trim(text.substr(digits)));
  if (!count || !unit || *count > kLongestAgoS / *unit) return std::nullopt;
  return *count * *unit;
}

std::optional<TimestampUs> parse_relative(std::string_view text, TimestampUs now_us) {
  constexpr std::string_view kAgo = "ago";
  if (text == "now") return now_us;
  if (text == "today") return now_us - now_us % (kDayS * kSecondUs);
  if (text == "yesterday") return now_us - kDayS * kSecondUs;
  if (!text.ends_with(kAgo)) return std::nullopt;
  const auto span = parse_span_s(text.substr(0, text.size() - kAgo.size()));
  if (!span) return std::nullopt;
  return now_us - *span * kSecondUs;
}

std::string amount(std::int64_t seconds) {
  if (seconds < kMinuteS) return fmt::format("{} s", seconds);
  if (seconds < kHourS) return fmt::format("{} min", seconds / kMinuteS);
  if (seconds < 2 * kDayS) return fmt::format("{} h", seconds / kHourS);
  return fmt::format("{} d", seconds / kDayS);
}

}  // namespace

Result<TimestampUs> parse_as_of(std::string_view text, TimestampUs now_us) {
  const auto word = to_lower_ascii(trim(text));
  auto time_us = parse_relative(word, now_us);
  if (!time_us) {
    auto absolute = parse_rfc3339(trim(text));
    if (!absolute) {
      return fail(ErrorCode::kInvalid, "bad_time", fmt::format("'{}' is no time", printable(text.substr(0, 80))),
                  "for example 2026-11-23T20:15:00Z, 2026-11-23, \"2h ago\", yesterday, now");
    }
    time_us = *absolute;
  }
  if (*time_us > now_us + kClockSlackS * kSecondUs) {
    return fail(ErrorCode::kInvalid, "future_time", fmt::format("{} is in the future", iso_seconds(*time_us)),
                "a past state is asked for by a past time; times without an offset are UTC");
  }
  return *time_us;
}

std::string iso_seconds(TimestampUs time_us) {
  return format_rfc3339(time_us).substr(0, 19) + "Z";
}

std::string relative_time(TimestampUs time_us, TimestampUs now_us) {
  const auto seconds = (now_us - time_us) / kSecondUs;
  if (seconds > kRelativeUpToS || seconds < -kRelativeUpToS) return format_rfc3339(time_us).substr(0, 10);
  if (seconds > -2 && seconds < 5) return "just now";
  return seconds >= 0 ? amount(seconds) + " ago" : "in " + amount(-seconds);
}

std::string show_time(const Session& session, std::string_view rfc3339) {
  if (rfc3339.empty()) return {};
  const auto time_us = parse_rfc3339(rfc3339);
  if (!time_us) return std::string(rfc3339);
  return session.stdout_is_tty() ? relative_time(*time_us, SystemClock().now_us()) : iso_seconds(*time_us);
}

}  // namespace mlops::cli
