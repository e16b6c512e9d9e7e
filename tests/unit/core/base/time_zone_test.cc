// Time zones: what the files and rules say about summer time, and local times that come twice or never.
#include "core/base/time_zone.h"

#include "core/base/clock.h"
#include "core/base/posix_zone.h"
#include "tests/unit/catch.h"

using namespace mlops;

namespace {

constexpr std::int64_t kHour = 3600;

std::int64_t utc(const std::string& text) {
  return *parse_rfc3339(text) / 1'000'000;
}
std::int64_t local(const std::string& text) {
  return parse_local_time(text)->local_s;
}
std::shared_ptr<const TimeZone> zone(std::string_view name) {
  auto found = TimeZones::system().find(name);
  if (!found) FAIL(found.error().message);
  return *found;
}

}  // namespace

TEST_CASE("summer time begins and ends at the second, by table and by rule") {
  const auto berlin = zone("Europe/Berlin");
  CHECK(berlin->offset_s(utc("2026-03-29T00:59:59Z")) == kHour);
  CHECK(berlin->offset_s(utc("2026-03-29T01:00:00Z")) == 2 * kHour);
  CHECK(berlin->offset_s(utc("2026-10-25T00:59:59Z")) == 2 * kHour);
  CHECK(berlin->offset_s(utc("2026-10-25T01:00:00Z")) == kHour);
  // Behind the table of every version of the database.
  CHECK(berlin->offset_s(utc("2090-07-01T00:00:00Z")) == 2 * kHour);
  CHECK(berlin->offset_s(utc("2090-12-31T23:30:00Z")) == kHour);
  const auto new_york = zone("America/New_York");
  CHECK(new_york->offset_s(utc("2026-03-08T06:59:59Z")) == -5 * kHour);
  CHECK(new_york->offset_s(utc("2026-03-08T07:00:00Z")) == -4 * kHour);
  CHECK(new_york->offset_s(utc("2026-11-01T05:59:59Z")) == -4 * kHour);
  CHECK(new_york->offset_s(utc("2026-11-01T06:00:00Z")) == -5 * kHour);
  CHECK(zone("Australia/Sydney")->offset_s(utc("2026-12-31T23:00:00Z")) == 11 * kHour);
  CHECK(zone("Asia/Kolkata")->offset_s(utc("2026-06-01T00:00:00Z")) == 19800);
  CHECK(zone("Europe/Berlin")->offset_s(utc("1980-01-01T00:00:00Z")) == kHour);
}

TEST_CASE("a rule alone gives the same offsets as the file") {
  const auto ruled = TimeZone::from_posix("CET-1CEST,M3.5.0,M10.5.0/3");
  REQUIRE(ruled);
  const auto berlin = zone("Europe/Berlin");
  for (auto at = utc("2020-01-01"); at < utc("2060-01-01"); at += 7 * kHour + 1111) {
    if (ruled->offset_s(at) != berlin->offset_s(at)) FAIL(at);
  }
  const auto sydney = TimeZone::from_posix("AEST-10AEDT,M10.1.0,M4.1.0/3");
  REQUIRE(sydney);
  const auto filed = zone("Australia/Sydney");
  for (auto at = utc("2020-01-01"); at < utc("2060-01-01"); at += 7 * kHour + 1111) {
    if (sydney->offset_s(at) != filed->offset_s(at)) FAIL(at);
  }
}

TEST_CASE("a local time that is skipped is the moment the clocks are set forward; one that comes twice is the first") {
  const auto berlin = zone("Europe/Berlin");
  CHECK(berlin->utc_of_local(local("2026-03-29T01:59")) == utc("2026-03-29T00:59:00Z"));
  CHECK(berlin->utc_of_local(local("2026-03-29T02:00")) == utc("2026-03-29T01:00:00Z"));
  CHECK(berlin->utc_of_local(local("2026-03-29T02:30")) == utc("2026-03-29T01:00:00Z"));
  CHECK(berlin->utc_of_local(local("2026-03-29T03:00")) == utc("2026-03-29T01:00:00Z"));
  CHECK(berlin->utc_of_local(local("2026-10-25T02:30")) == utc("2026-10-25T00:30:00Z"));
  CHECK(berlin->utc_of_local(local("2026-10-25T03:00")) == utc("2026-10-25T02:00:00Z"));
  const auto new_york = zone("America/New_York");
  CHECK(new_york->utc_of_local(local("2026-03-08T02:30")) == utc("2026-03-08T07:00:00Z"));
  CHECK(new_york->utc_of_local(local("2026-11-01T01:30")) == utc("2026-11-01T05:30:00Z"));
  CHECK(new_york->utc_of_local(local("2026-11-01T02:00")) == utc("2026-11-01T07:00:00Z"));
  // Lord Howe moves by half an hour.
  CHECK(zone("Australia/Lord_Howe")->utc_of_local(local("2026-10-04T02:15")) == utc("2026-10-03T15:30:00Z"));
}

TEST_CASE("rules in every form POSIX has; what is none is refused") {
  CHECK(TimeZone::from_posix("UTC0")->offset_s(0) == 0);
  CHECK(TimeZone::from_posix("<-03>3")->offset_s(0) == -3 * kHour);
  CHECK(TimeZone::from_posix("<+0545>-5:45")->offset_s(0) == 20700);
  const auto dublin = TimeZone::from_posix("IST-1GMT0,M10.5.0,M3.5.0/1");
  REQUIRE(dublin);
  CHECK(dublin->offset_s(utc("2026-07-01")) == kHour);
  CHECK(dublin->offset_s(utc("2026-12-01")) == 0);
  const auto julian = TimeZone::from_posix("AAA0BBB,J60/0,J300/0");
  REQUIRE(julian);
  CHECK(julian->offset_s(utc("2028-02-29T23:59:59Z")) == 0);
  CHECK(julian->offset_s(utc("2028-03-01T00:00:00Z")) == kHour);
  const auto counted = TimeZone::from_posix("AAA0BBB,59/0,300/0");
  REQUIRE(counted);
  CHECK(counted->offset_s(utc("2028-02-29T00:00:00Z")) == kHour);
  for (const auto* bad : {"", "C", "CET", "CET-", "CET-1CEST", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
                          "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1", "CET-999"}) {
    INFO(bad);
    CHECK_FALSE(parse_posix_zone(bad));
  }
}

TEST_CASE("names come from the database's list alone") {
  const auto& zones = TimeZones::system();
  CHECK(zones.find("Europe/Berln").error().slug == "time_zone_unknown");
  CHECK(zones.find("Europe/Berln").error().hint.find("Europe/Berlin") != std::string::npos);
  for (const auto* name : {"../passwd", "/etc/passwd", "posix/Europe/Berlin", "zone.tab", "Europe", ""}) {
    CHECK(zones.find(name).error().code == ErrorCode::kInvalid);
  }
  const TimeZones none("/nonexistent-directory");
  CHECK(none.find("Europe/Berlin").error().slug == "time_zones_missing");
  CHECK(none.find("UTC"));
}

TEST_CASE("a damaged file is refused, wherever it is cut") {
  CHECK_FALSE(TimeZone::from_tzif(""));
  CHECK_FALSE(TimeZone::from_tzif("TZif2"));
  std::string head = "TZif2" + std::string(15, '\0');
  const auto count = [](std::uint8_t n) { return std::string(3, '\0') + static_cast<char>(n); };
  const std::string counts = count(0) + count(0) + count(0) + count(1) + count(1) + count(4);
  const auto block = [&](std::size_t time_bytes, char type) {
    return head + counts + std::string(time_bytes, '\0') + type + std::string("\0\0\x0e\x10\0\0", 6) +
           std::string("CET\0", 4);
  };
  const auto whole = block(4, 0) + block(8, 0) + "\nCET-1\n";
  REQUIRE(TimeZone::from_tzif(whole));
  CHECK(TimeZone::from_tzif(whole)->offset_s(5) == kHour);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(TimeZone::from_tzif(whole.substr(0, size)));
  CHECK_FALSE(TimeZone::from_tzif(block(4, 0) + block(8, 1) + "\nCET-1\n"));
}

TEST_CASE("local times are read strictly, and weekdays counted from Monday") {
  CHECK(parse_local_time("2026-12-20")->is_date);
  CHECK(local("1970-01-02T01:30") == 86400 + 5400);
  CHECK(local_time_text(local("2026-12-20T18:05")) == "2026-12-20 18:05");
  CHECK(weekday_of(local("2026-11-29")) == 6);
  CHECK(weekday_of(local("2026-11-30")) == 0);
  for (const auto* bad :
       {"", "2026-13-01", "2026-02-30", "2026-12-20T25:00", "2026-12-20T18:05Z", "20261220", "2026-1-1"}) {
    CHECK_FALSE(parse_local_time(bad));
  }
}
