#include "cli/time.h"

#include "tests/unit/catch.h"

namespace mlops::cli {
namespace {

constexpr TimestampUs kSecond = 1'000'000;
const TimestampUs kNow = *parse_rfc3339("2026-11-23T20:15:01.5Z");

std::string as_of(std::string_view text) {
  const auto time = parse_as_of(text, kNow);
  return time ? iso_seconds(*time) : time.error().slug;
}

TEST_CASE("--as-of takes what people write") {
  CHECK(as_of("now") == "2026-11-23T20:15:01Z");
  CHECK(as_of("today") == "2026-11-23T00:00:00Z");
  CHECK(as_of("yesterday") == "2026-11-22T20:15:01Z");
  CHECK(as_of("2h ago") == "2026-11-23T18:15:01Z");
  CHECK(as_of(" 3 Days ago ") == "2026-11-20T20:15:01Z");
  CHECK(as_of("90s ago") == "2026-11-23T20:13:31Z");
  CHECK(as_of("15 min ago") == "2026-11-23T20:00:01Z");
  CHECK(as_of("an hour ago") == "2026-11-23T19:15:01Z");
  CHECK(as_of("1 week ago") == "2026-11-16T20:15:01Z");
  CHECK(as_of("2026-11-20") == "2026-11-20T00:00:00Z");
  CHECK(as_of("2026-11-20T01:00:00+02:00") == "2026-11-19T23:00:00Z");
}

TEST_CASE("--as-of refuses what is no time, or not yet") {
  for (const auto* bad : {"", "ago", "2 ago", "h ago", "-2h ago", "2 fortnights ago", "99999999999999999999h ago",
                          "99999999999h ago", "2026-13-01", "tomorrow"}) {
    INFO(bad);
    CHECK(as_of(bad) == "bad_time");
  }
  CHECK(as_of("2026-11-24") == "future_time");
  CHECK(as_of("2026-11-23T20:16:00Z") == "2026-11-23T20:16:00Z");
}

TEST_CASE("relative times are short and round down") {
  CHECK(relative_time(kNow, kNow) == "just now");
  CHECK(relative_time(kNow - 59 * kSecond, kNow) == "59 s ago");
  CHECK(relative_time(kNow - 60 * kSecond, kNow) == "1 min ago");
  CHECK(relative_time(kNow - 7199 * kSecond, kNow) == "1 h ago");
  CHECK(relative_time(kNow - 72 * 3600 * kSecond, kNow) == "3 d ago");
  CHECK(relative_time(kNow - 100 * 86400 * kSecond, kNow) == "2026-08-15");
  CHECK(relative_time(kNow + 72 * 3600 * kSecond, kNow) == "in 3 d");
}

}  // namespace
}  // namespace mlops::cli
