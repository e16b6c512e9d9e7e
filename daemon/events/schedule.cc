#include "daemon/events/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "core/base/text.h"

namespace mlops::events {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kHourS = 3600;
constexpr std::int64_t kLongestRetryAfterS = 24 * kHourS;
constexpr double kLongestWaitS = 30 * 24 * 3600.0;
constexpr double kJitter = 0.2;

}  // namespace

Schedule standard_schedule() {
  Schedule schedule{0, 5 * kSecondUs, 300 * kSecondUs, 1800 * kSecondUs};
  for (const std::int64_t hours : {2, 5, 10, 14, 20, 24}) schedule.push_back(hours * kHourS * kSecondUs);
  return schedule;
}

Result<Schedule> parse_schedule(const std::vector<std::string>& seconds) {
  Schedule schedule;
  for (const auto& text : seconds) {
    char* end = nullptr;
    const double wait_s = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(wait_s >= 0 && wait_s <= kLongestWaitS)) {
      return fail(ErrorCode::kInvalid, "bad_schedule", fmt::format("\"{}\" is not a wait in seconds", printable(text)));
    }
    schedule.push_back(static_cast<std::int64_t>(std::llround(wait_s * kSecondUs)));
  }
  if (!schedule.empty()) return schedule;
  return fail(ErrorCode::kInvalid, "bad_schedule", "a schedule needs at least one attempt", "for example 0, 5, 300");
}

std::optional<std::int64_t> next_wait_us(const Schedule& schedule, std::int64_t failed_attempts, double chance) {
  if (failed_attempts >= static_cast<std::int64_t>(schedule.size())) return std::nullopt;
  const auto wait_us = static_cast<double>(schedule[static_cast<std::size_t>(failed_attempts)]);
  return static_cast<std::int64_t>(wait_us * (1 + kJitter * std::clamp(chance, 0.0, 1.0)));
}

Outcome outcome_of(int status) {
  if (status >= 200 && status < 300) return Outcome::kDelivered;
  if (status == 410) return Outcome::kGone;
  const bool is_receiver = status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
  return is_receiver ? Outcome::kReceiverFailed : Outcome::kEventFailed;
}

std::optional<std::int64_t> retry_after_us(std::string_view value, TimestampUs now_us) {
  value = trim(value);
  std::int64_t wait_s = 0;
  if (const auto seconds = parse_int(value)) {
    wait_s = *seconds;
  } else {
    std::tm utc{};
    const char* const end = ::strptime(std::string(value).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    if (!end) return std::nullopt;
    wait_s = static_cast<std::int64_t>(::timegm(&utc)) - now_us / kSecondUs;
  }
  return std::clamp<std::int64_t>(wait_s, 0, kLongestRetryAfterS) * kSecondUs;
}

}  // namespace mlops::events
