#include "core/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <limits>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "tests/unit/catch.h"

using namespace mlops;

namespace {

// What `act` writes to standard error.
template <class Act>
std::string captured(Act act) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  act();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(ends[1]);
  std::string text(65'536, '\0');
  const ssize_t got = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

TEST_CASE("a line is one JSON object with typed fields in their order") {
  const std::string line = captured([] {
    log::info("request", {{"path", "/livez"}, {"status", std::int64_t{200}}, {"ms", 1.5}, {"ok", true}});
  });
  const std::string expected = R"(,"level":"info","event":"request","path":"/livez","status":200,"ms":1.5,"ok":true})";
  REQUIRE(line.size() > expected.size());
  CHECK(line.ends_with(expected + "\n"));
  const auto parsed = parse_json(trim(line));
  REQUIRE(parsed);
  CHECK(parse_rfc3339((*parsed)["time"].get<std::string>()));
}

TEST_CASE("a hostile value forges no line and drives no terminal (7.6: 80)") {
  const std::string line = captured([] {
    log::warn("name",
              {{"n", "x\"\n{\"level\":\"error\"}\x1b[31m\xff"}, {"k\n", std::numeric_limits<double>::infinity()}});
  });
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find('\x1b') == std::string::npos);
  const auto parsed = parse_json(trim(line));
  REQUIRE(parsed);
  CHECK((*parsed)["n"] == "x\"\\x0a{\"level\":\"error\"}\\x1b[31m\\xff");
  CHECK((*parsed)["k\\x0a"].is_null());
}

TEST_CASE("levels below the threshold write nothing, long values are cut") {
  CHECK_FALSE(log::set_level_word("loud"));
  REQUIRE(log::set_level_word("warn"));
  CHECK(captured([] { log::info("quiet"); }).empty());
  CHECK_FALSE(captured([] { log::error("heard"); }).empty());
  log::set_level(log::Level::kInfo);
  CHECK(captured([] { log::write(log::Level::kDebug, "quiet"); }).empty());
  static const std::string kLong(9'000, 'x');
  const std::string line = captured([] { log::info("long", {{"v", kLong}}); });
  CHECK(line.size() < 1'200);
}
