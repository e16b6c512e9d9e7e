// When an environment may change: weekly windows and freezes in local time, and what they say about one moment.
//
//   windows: [{days: [mon..fri], from: "08:00", to: "16:00", time_zone: Europe/Berlin}]
//   freezes: [{from: 2026-12-20, to: 2027-01-03T06:00, time_zone: Europe/Berlin, reason: …}]
// A window whose `to` is not after its `from` ends on the next day. A freeze's `to` is exclusive; a bare date means the
// end of that day. A local time that comes twice counts the first time; one that is skipped is the moment the clocks
// are set forward. Without time_zone: UTC.
// The rules of zones change; what they said when a decision was drafted is kept in CalendarFacts, so that the same
// decision can be made again from the facts alone. Thread-safety: values and pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/time_zone.h"
#include "core/base/yaml.h"

namespace mlops::model {

struct ChangeWindow {
  std::vector<std::string> days;  // "mon" … "sun", in the week's order
  std::int64_t from_minute = 0;   // of the local day
  std::int64_t to_minute = 0;     // up to 24:00
  std::string time_zone = "UTC";
};

struct Freeze {
  std::int64_t from_local_s = 0;
  std::int64_t to_local_s = 0;  // exclusive
  std::string time_zone = "UTC";
  std::string reason;
};

// "mon–fri 08:00–16:00 Europe/Berlin".
std::string to_text(const ChangeWindow& window);

// Errors: kInvalid with origin:line:column, an unknown zone included.
Result<std::vector<ChangeWindow>> read_windows(const YamlNode& node, const std::string& origin, const TimeZones& zones);
Result<std::vector<Freeze>> read_freezes(const YamlNode& node, const std::string& origin, const TimeZones& zones);

Json to_json(const ChangeWindow& window);
Json to_json(const Freeze& freeze);
// May throw Json::exception, which the reader of the whole environment converts.
ChangeWindow window_from_json(const Json& json);
Freeze freeze_from_json(const Json& json);

// A stretch of time with the zone's offsets at both ends, so that it can be told in local time without the zone.
struct LocalSpan {
  std::string time_zone;
  TimestampUs from_us = 0;
  TimestampUs to_us = 0;  // exclusive
  std::int64_t from_offset_s = 0;
  std::int64_t to_offset_s = 0;
  std::string text;  // the window, or the freeze's reason
};

struct CalendarFacts {
  std::vector<LocalSpan> windows;  // each window's opening that holds the moment, or its next one
  std::vector<LocalSpan> freezes;  // those that have not ended
  std::vector<std::string> missing_zones;
  // The first moment, from the decision's on, at which a window is open and no freeze holds; 0: none was found.
  TimestampUs next_us = 0;
  std::int64_t next_offset_s = 0;
  std::string next_time_zone;
};

CalendarFacts calendar_at(const std::vector<ChangeWindow>& windows, const std::vector<Freeze>& freezes,
                          TimestampUs at_us, const TimeZones& zones);

Json to_json(const CalendarFacts& facts);
CalendarFacts calendar_from_json(const Json& json);  // may throw Json::exception

}  // namespace mlops::model
