#include "core/base/clock.h"

#include "tests/unit/catch.h"

using namespace mlops;

namespace {
TimestampUs parsed(std::string_view text) {
  const auto time_us = parse_rfc3339(text);
  INFO(text);
  REQUIRE(time_us);
  return *time_us;
}
}  // namespace

TEST_CASE("times are written with microseconds, before the epoch too") {
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_rfc3339(1'795'464'901'123'456) == "2026-11-23T20:15:01.123456Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("the accepted forms") {
  constexpr TimestampUs kTime = 1'795'464'901'000'000;
  CHECK(parsed("2026-11-23T20:15:01Z") == kTime);
  CHECK(parsed("2026-11-23t20:15:01z") == kTime);
  CHECK(parsed("2026-11-23T21:15:01+01:00") == kTime);
  CHECK(parsed("2026-11-23T15:45:01-04:30") == kTime);
  CHECK(parsed("2026-11-23 20:15:01Z") == kTime);
  CHECK(parsed("2026-11-23 20:15:01") == kTime);
  CHECK(parsed("2026-11-23 20:15") == kTime - 1'000'000);
  CHECK(parsed("2026-11-23") == kTime - (20 * 3600 + 15 * 60 + 1) * 1'000'000LL);
  CHECK(parsed("2026-11-23T20:15:01.5Z") == kTime + 500'000);
  CHECK(parsed("2026-11-23T20:15:01.123456789Z") == kTime + 123'456);
  CHECK(parsed("2024-02-29") == parsed("2024-03-01") - 86'400'000'000);
}

TEST_CASE("what is no time is refused") {
  for (const char* text : {"",
                           "now",
                           "2026",
                           "2026-11",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-02-29",
                           "2026-11-31",
                           "0000-01-01",
                           "2026-1-1",
                           "2026-11-23T",
                           "2026-11-23T20:15:01",
                           "2026-11-23T20:15Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T20:60:00Z",
                           "2026-11-23T20:15:60Z",
                           "2026-11-23T20:15:01.Z",
                           "2026-11-23T20:15:01.1234567890Z",
                           "2026-11-23T20:15:01+0100",
                           "2026-11-23T20:15:01+24:00",
                           "2026-11-23T20:15:01Z ",
                           " 2026-11-23",
                           "2026-11-23 20:15 ",
                           "+026-11-23",
                           "2026-11-23T20:15:01ZZ",
                           "2026/11/23",
                           "-2026-11-23"}) {
    INFO(text);
    const auto time_us = parse_rfc3339(text);
    REQUIRE_FALSE(time_us);
    CHECK(time_us.error().code == ErrorCode::kInvalid);
    CHECK(time_us.error().slug == "bad_time");
    CHECK_FALSE(time_us.error().hint.empty());
  }
}

TEST_CASE("writing and reading agree") {
  for (TimestampUs time_us = -62'135'596'800'000'000; time_us < 253'402'300'799'000'000;
       time_us += 9'876'543'210'987'654) {
    CHECK(parsed(format_rfc3339(time_us)) == time_us);
  }
}

TEST_CASE("the fake clock stands still until told; the system clock is past 2025") {
  FakeClock clock(5);
  CHECK(clock.now_us() == 5);
  clock.advance_us(10);
  CHECK(clock.now_us() == 15);
  CHECK(SystemClock().now_us() > parsed("2025-01-01"));
}
