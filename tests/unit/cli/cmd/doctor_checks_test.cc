#include "cli/cmd/doctor_checks.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cli;

namespace {
TimestampUs at(const char* text) {
  return *parse_rfc3339(text);
}
}  // namespace

TEST_CASE("an HTTP date is read in its preferred form only") {
  CHECK(parse_http_date("Mon, 23 Nov 2026 21:20:05 GMT") == at("2026-11-23T21:20:05Z"));
  CHECK_FALSE(parse_http_date("Mon, 23 Nox 2026 21:20:05 GMT"));
  CHECK_FALSE(parse_http_date("Monday, 23-Nov-26 21:20:05 GMT"));
  CHECK_FALSE(parse_http_date("Mon, 32 Nov 2026 21:20:05 GMT"));
  CHECK_FALSE(parse_http_date(""));
}

TEST_CASE("clock skew is judged by its size and named by its direction") {
  const auto* header = "Mon, 23 Nov 2026 21:20:05 GMT";
  CHECK(judge_clock(header, at("2026-11-23T21:20:05.9Z")).health == Health::kGood);
  const auto ahead = judge_clock(header, at("2026-11-23T21:21:05Z"));
  CHECK(ahead.health == Health::kWarning);
  CHECK(ahead.detail == "this machine is 60 s ahead of the server");
  const auto behind = judge_clock(header, at("2026-11-23T20:20:05Z"));
  CHECK(behind.health == Health::kBad);
  CHECK(behind.detail == "this machine is 3600 s behind the server");
  CHECK(judge_clock("", 0).health == Health::kWarning);
}

TEST_CASE("versions agree by major and minor; another API is bad") {
  CHECK(judge_version("0.1.0", {{"name", "mlopsd"}, {"version", "0.1.7"}, {"api", "v1"}}).health == Health::kGood);
  CHECK(judge_version("0.1.0", {{"name", "mlopsd"}, {"version", "0.2.0"}, {"api", "v1"}}).health == Health::kWarning);
  CHECK(judge_version("0.1.0", {{"name", "nginx"}, {"version", "1.2"}}).health == Health::kBad);
}

TEST_CASE("a token that ends within a week is a warning") {
  const Json me = {{"principal", "bob"}, {"roles", {"admin"}}, {"token", {{"expires_at", "2026-11-30T00:00:00Z"}}}};
  CHECK(judge_identity(me, at("2026-11-01T00:00:00Z")).health == Health::kGood);
  CHECK(judge_identity(me, at("2026-11-25T00:00:00Z")).health == Health::kWarning);
}

TEST_CASE("findings are aligned and say what to do") {
  const auto lines =
      finding_lines({{"disk", Health::kGood, "fine", ""}, {"identity", Health::kBad, "none", "log in"}}, plain_style());
  CHECK(lines == Lines{"✔ ok       disk      fine", "✘ bad      identity  none", "                     → log in"});
}
