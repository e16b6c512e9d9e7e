// When a delivery is tried again, and what an answer means for it. Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace mlops::events {

// The waits before the first, second, … attempt; as many attempts as waits. Standard Webhooks proposes
// 0, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h.
using Schedule = std::vector<std::int64_t>;  // microseconds
Schedule standard_schedule();
// Seconds, with a fraction: "0", "0.5", "300". Errors: kInvalid "bad_schedule" (none, or one beyond 30 days).
Result<Schedule> parse_schedule(const std::vector<std::string>& seconds);

// The wait after so many failed attempts, longer by up to a fifth; `chance` from 0 to 1. Absent: that was the last.
std::optional<std::int64_t> next_wait_us(const Schedule& schedule, std::int64_t failed_attempts, double chance);

enum class Outcome {
  kDelivered,       // 2xx
  kEventFailed,     // this event was not taken: its lane waits
  kReceiverFailed,  // nothing would be taken now: the whole webhook rests
  kGone,            // 410: the receiver wants nothing any more
  kBrokenOff        // this side stopped: as if it had never been tried
};
// `status` of HTTP; 0: there was no answer.
Outcome outcome_of(int status);

// Retry-After in seconds, or as an HTTP date; at most a day. Absent: not one of the two.
std::optional<std::int64_t> retry_after_us(std::string_view value, TimestampUs now_us);

}  // namespace mlops::events
