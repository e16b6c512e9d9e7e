// Rules of time zones from the system's database: TZif files (RFC 8536) with their POSIX footer rule.
//
// A local time is counted in seconds as if the zone were UTC. Only names that the database's directory lists are ever
// opened, so a name from outside reaches no path. "UTC" is known without any database.
// Errors: kInvalid "time_zone_unknown" with the nearest name; kUnavailable "time_zones_missing" where there is no
// database; kCorrupt "time_zone_damaged". Thread-safety: TimeZone is immutable, TimeZones is thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops {

// "CET-1CEST,M3.5.0,M10.5.0/3": what holds for ever after.
struct PosixZoneRule {
  enum class Form { kMonthWeekDay, kJulianNoLeap, kDayOfYear };
  struct Change {
    Form form = Form::kMonthWeekDay;
    int month = 0;
    int week = 0;
    int day = 0;
    std::int64_t time_s = 2 * 3600;  // local time before the change; may be negative or beyond a day
  };
  std::int64_t standard_offset_s = 0;  // east of UTC
  std::optional<std::int64_t> summer_offset_s;
  Change summer_begins;
  Change summer_ends;
};

class TimeZone {
 public:
  static Result<TimeZone> from_tzif(std::string_view bytes);
  static Result<TimeZone> from_posix(std::string_view rule);

  // Seconds east of UTC at that moment.
  std::int64_t offset_s(std::int64_t utc_s) const;
  // When clocks there show `local_s`: the first time, where they show it twice; where they skip it, the moment at which
  // they are set forward.
  std::int64_t utc_of_local(std::int64_t local_s) const;

 private:
  std::vector<std::int64_t> changes_;  // UTC seconds, rising
  std::vector<std::int64_t> offsets_;  // in force from changes_[i] on
  std::int64_t first_offset_s_ = 0;    // before the first change
  std::optional<PosixZoneRule> rule_;  // after the last change
};

class TimeZones {
 public:
  // `directory` is laid out as /usr/share/zoneinfo is.
  explicit TimeZones(std::string directory) : directory_(std::move(directory)) {}
  static const TimeZones& system();

  Result<std::shared_ptr<const TimeZone>> find(std::string_view name) const;

 private:
  Status list() const;

  const std::string directory_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string, std::less<>> files_;  // by name
  mutable std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> loaded_;
};

// "2026-03-29 03:30", a local time for people.
std::string local_time_text(std::int64_t local_s);
// "2026-12-20" or "2027-01-03T06:00" → local seconds; `is_date`: only a date was written. Errors: kInvalid "bad_time".
struct LocalTime {
  std::int64_t local_s = 0;
  bool is_date = false;
};
Result<LocalTime> parse_local_time(std::string_view text);
// 0 Monday … 6 Sunday.
int weekday_of(std::int64_t local_s);

}  // namespace mlops
