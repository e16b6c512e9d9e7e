// When a delivery is tried again, and what an answer means.
#include "daemon/events/schedule.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::events;

TEST_CASE("the standard schedule has ten attempts, the last a day after the one before") {
  const auto schedule = standard_schedule();
  CHECK(schedule.size() == 10);
  CHECK(next_wait_us(schedule, 0, 0) == 0);
  CHECK(next_wait_us(schedule, 1, 0) == 5'000'000);
  CHECK(next_wait_us(schedule, 9, 0) == 86'400'000'000);
  CHECK_FALSE(next_wait_us(schedule, 10, 0));
}

TEST_CASE("jitter makes a wait longer by up to a fifth, never shorter") {
  const Schedule schedule{0, 10'000'000};
  CHECK(next_wait_us(schedule, 1, 0) == 10'000'000);
  CHECK(next_wait_us(schedule, 1, 1) == 12'000'000);
  CHECK(next_wait_us(schedule, 1, 7) == 12'000'000);
}

TEST_CASE("a schedule is read in seconds") {
  CHECK(parse_schedule({"0", "0.5", "300"}).value() == Schedule{0, 500'000, 300'000'000});
  CHECK_FALSE(parse_schedule({}));
  for (const char* bad : {"", "-1", "x", "1s", "nan", "1e9"}) {
    INFO(bad);
    CHECK_FALSE(parse_schedule({bad}));
  }
}

TEST_CASE("only 2xx is delivered; a busy receiver is told apart from a refused event") {
  CHECK(outcome_of(200) == Outcome::kDelivered);
  CHECK(outcome_of(204) == Outcome::kDelivered);
  for (const int status : {301, 302, 307, 400, 401, 404, 415, 500}) CHECK(outcome_of(status) == Outcome::kEventFailed);
  for (const int status : {0, 429, 502, 503, 504}) CHECK(outcome_of(status) == Outcome::kReceiverFailed);
  CHECK(outcome_of(410) == Outcome::kGone);
}

TEST_CASE("Retry-After is seconds or a date, at most a day") {
  CHECK(retry_after_us("120", 0) == 120'000'000);
  CHECK(retry_after_us("9999999", 0) == 86'400'000'000);
  CHECK(retry_after_us("Fri, 13 Feb 2009 23:31:40 GMT", 1'234'567'890'000'000) == 10'000'000);
  CHECK(retry_after_us("Fri, 13 Feb 2009 23:31:20 GMT", 1'234'567'890'000'000) == 0);
  CHECK_FALSE(retry_after_us("soon", 0));
  CHECK_FALSE(retry_after_us("", 0));
}
