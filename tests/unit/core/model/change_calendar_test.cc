// Windows and freezes judged at single moments: midnight, the nights when clocks change, and what comes next.
#include "core/model/change_calendar.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

TimestampUs at(const std::string& text) {
  return *parse_rfc3339(text);
}
std::vector<ChangeWindow> windows(const std::string& yaml) {
  const auto node = parse_yaml(yaml, "w");
  REQUIRE(node);
  auto read = read_windows(*node, "w", TimeZones::system());
  if (!read) FAIL(read.error().message);
  return *read;
}
std::vector<Freeze> freezes(const std::string& yaml) {
  const auto node = parse_yaml(yaml, "f");
  REQUIRE(node);
  auto read = read_freezes(*node, "f", TimeZones::system());
  if (!read) FAIL(read.error().message);
  return *read;
}
CalendarFacts calendar(const std::vector<ChangeWindow>& w, const std::vector<Freeze>& f, const std::string& moment) {
  return calendar_at(w, f, at(moment), TimeZones::system());
}
bool is_open(const std::vector<ChangeWindow>& w, const std::string& moment) {
  const auto facts = calendar(w, {}, moment);
  for (const auto& span : facts.windows) {
    if (span.from_us <= at(moment) && at(moment) < span.to_us) return true;
  }
  return false;
}
std::string next(const std::vector<ChangeWindow>& w, const std::vector<Freeze>& f, const std::string& moment) {
  return format_rfc3339(calendar(w, f, moment).next_us).substr(0, 16);
}

}  // namespace

TEST_CASE("a working day's window opens and closes at local time, summer and winter") {
  const auto w = windows(R"([{days: [mon..fri], from: "08:00", to: "16:00", time_zone: Europe/Berlin}])");
  CHECK(to_text(w[0]) == "mon–fri 08:00–16:00 Europe/Berlin");
  CHECK_FALSE(is_open(w, "2026-11-30T06:59:59.999999Z"));
  CHECK(is_open(w, "2026-11-30T07:00:00Z"));
  CHECK(is_open(w, "2026-11-30T14:59:59.999999Z"));
  CHECK_FALSE(is_open(w, "2026-11-30T15:00:00Z"));
  CHECK(is_open(w, "2026-07-01T06:00:00Z"));
  CHECK_FALSE(is_open(w, "2026-07-01T14:00:00Z"));
  CHECK_FALSE(is_open(w, "2026-11-29T10:00:00Z"));  // a Sunday
  CHECK(next(w, {}, "2026-11-27T15:00:00Z") == "2026-11-30T07:00");
  const auto facts = calendar(w, {}, "2026-11-27T15:00:00Z");
  CHECK(facts.next_offset_s == 3600);
  CHECK(facts.next_time_zone == "Europe/Berlin");
  CHECK(next(w, {}, "2026-11-30T10:30:00Z") == "2026-11-30T10:30");
}

TEST_CASE("a window over midnight belongs to the day it begins on") {
  const auto w = windows(R"([{days: [fri], from: "22:00", to: "02:00", time_zone: America/New_York}])");
  CHECK(is_open(w, "2026-11-28T03:00:00Z"));  // Friday 22:00
  CHECK(is_open(w, "2026-11-28T06:59:00Z"));  // Saturday 01:59
  CHECK_FALSE(is_open(w, "2026-11-28T07:00:00Z"));
  CHECK_FALSE(is_open(w, "2026-11-27T03:30:00Z"));  // Thursday 22:30
  CHECK_FALSE(is_open(w, "2026-11-29T03:30:00Z"));  // Saturday 22:30
}

TEST_CASE("the night summer time begins: what is skipped opens when the clocks are set") {
  const auto berlin = windows(R"([{from: "02:30", to: "04:00", time_zone: Europe/Berlin}])");
  CHECK_FALSE(is_open(berlin, "2026-03-29T00:59:59Z"));
  CHECK(is_open(berlin, "2026-03-29T01:00:00Z"));  // 03:00 there
  CHECK_FALSE(is_open(berlin, "2026-03-29T02:00:00Z"));
  const auto swallowed = windows(R"([{days: [sun], from: "02:15", to: "02:45", time_zone: Europe/Berlin}])");
  CHECK_FALSE(is_open(swallowed, "2026-03-29T01:00:00Z"));
  CHECK(next(swallowed, {}, "2026-03-29T00:00:00Z") == "2026-04-05T00:15");
  const auto new_york = windows(R"([{from: "01:00", to: "02:30", time_zone: America/New_York}])");
  CHECK(is_open(new_york, "2026-03-08T06:59:59Z"));
  CHECK_FALSE(is_open(new_york, "2026-03-08T07:00:00Z"));
}

TEST_CASE("the night summer time ends: a time that comes twice counts the first time") {
  const auto berlin = windows(R"([{from: "02:00", to: "03:00", time_zone: Europe/Berlin}])");
  CHECK(is_open(berlin, "2026-10-25T00:00:00Z"));
  CHECK(is_open(berlin, "2026-10-25T01:59:59Z"));  // the second 02:59
  CHECK_FALSE(is_open(berlin, "2026-10-25T02:00:00Z"));
  const auto new_york = windows(R"([{from: "00:30", to: "01:30", time_zone: America/New_York}])");
  CHECK(is_open(new_york, "2026-11-01T05:29:59Z"));
  CHECK_FALSE(is_open(new_york, "2026-11-01T05:30:00Z"));
  CHECK_FALSE(is_open(new_york, "2026-11-01T06:15:00Z"));  // 01:15 for the second time
}

TEST_CASE("a freeze ends before its end; a bare date means its whole day") {
  const auto f = freezes("[{from: 2026-12-20, to: 2027-01-03T06:00, time_zone: Europe/Berlin, reason: holidays}]");
  CHECK(calendar({}, f, "2026-12-19T22:59:59Z").freezes.size() == 1);
  const auto facts = calendar({}, f, "2026-12-25T12:00:00Z");
  REQUIRE(facts.freezes.size() == 1);
  CHECK(facts.freezes[0].from_us == at("2026-12-19T23:00:00Z"));
  CHECK(facts.freezes[0].to_us == at("2027-01-03T05:00:00Z"));
  CHECK(facts.freezes[0].text == "holidays");
  CHECK(next({}, f, "2026-12-25T12:00:00Z") == "2027-01-03T05:00");
  CHECK(calendar({}, f, "2027-01-03T05:00:00Z").freezes.empty());
  const auto day = freezes("[{from: 2026-12-24, to: 2026-12-24}]");
  CHECK(next({}, day, "2026-12-24T23:59:00Z") == "2026-12-25T00:00");
}

TEST_CASE("the next change waits for the freeze's end and then for a window") {
  const auto w = windows(R"([{days: [mon..fri], from: "08:00", to: "16:00", time_zone: Europe/Berlin},
                             {days: [sun], from: "10:00", to: "11:00", time_zone: America/New_York}])");
  const auto f = freezes(
      "[{from: 2026-12-20, to: 2026-12-30, time_zone: Europe/Berlin},"
      " {from: 2026-12-31, to: 2027-01-03T06:00, time_zone: Europe/Berlin}]");
  const auto facts = calendar(w, f, "2026-12-25T12:00:00Z");
  CHECK(format_rfc3339(facts.next_us).substr(0, 16) == "2027-01-03T15:00");  // Sunday in New York comes first
  CHECK(facts.next_time_zone == "America/New_York");
  CHECK(facts.next_offset_s == -5 * 3600);
}

TEST_CASE("without the zone's rules nothing is guessed") {
  const TimeZones none("/nonexistent-directory");
  ChangeWindow window{{"mon"}, 0, 60, "Europe/Berlin"};
  const auto facts = calendar_at({window}, {}, at("2026-11-30T10:00:00Z"), none);
  CHECK(facts.windows.empty());
  CHECK(facts.missing_zones == std::vector<std::string>{"Europe/Berlin"});
  CHECK(facts.next_us == 0);
}

TEST_CASE("what the calendar said is stored and comes back the same") {
  const auto w = windows(R"([{days: [sat, sun, mon], from: "08:00", to: "24:00", time_zone: Asia/Kolkata}])");
  CHECK(to_text(w[0]) == "mon,sat–sun 08:00–24:00 Asia/Kolkata");
  const auto f = freezes("[{from: 2026-12-20, to: 2027-01-03T06:00, time_zone: Europe/Berlin, reason: holidays}]");
  const auto facts = calendar(w, f, "2026-12-25T12:00:00Z");
  CHECK(canonical_dump(to_json(calendar_from_json(to_json(facts)))) == canonical_dump(to_json(facts)));
  CHECK(to_json(window_from_json(to_json(w[0]))) == to_json(w[0]));
  CHECK(to_json(freeze_from_json(to_json(f[0]))) == to_json(f[0]));
}
