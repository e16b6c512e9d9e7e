// Time as a value and as a seam. Timestamps are microseconds since the Unix epoch, UTC.
// Thread-safety: SystemClock and FakeClock may be used from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops {

using TimestampUs = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimestampUs now_us() const = 0;
};

class SystemClock : public Clock {
 public:
  TimestampUs now_us() const override;
};

class FakeClock : public Clock {
 public:
  explicit FakeClock(TimestampUs now_us) : now_us_(now_us) {}
  TimestampUs now_us() const override { return now_us_.load(); }
  void advance_us(std::int64_t by_us) { now_us_ += by_us; }
  void set_us(TimestampUs now_us) { now_us_ = now_us; }

 private:
  std::atomic<TimestampUs> now_us_;
};

// "2026-11-23T20:15:01.123456Z".
std::string format_rfc3339(TimestampUs time_us);
// RFC 3339 with offset or Z, fraction optional; also a bare date (its first microsecond, UTC) and "YYYY-MM-DD
// HH:MM[:SS]". Errors: kInvalid "bad_time".
Result<TimestampUs> parse_rfc3339(std::string_view text);

}  // namespace mlops
