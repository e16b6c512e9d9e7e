// Server-sent events from bytes, and following them over reconnects.
#include "cli/cmd/event_stream.h"

#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

std::vector<StreamEvent> parse(EventParser& parser, const std::vector<std::string>& pieces) {
  std::vector<StreamEvent> events;
  for (const auto& piece : pieces) {
    REQUIRE(parser.feed(piece, [&](const StreamEvent& event) -> Status {
      events.push_back(event);
      return {};
    }));
  }
  return events;
}

}  // namespace

TEST_CASE("events are read however their bytes are cut and their lines end") {
  const std::string text = ": hello\nretry: 1000\n\nid: 7\nevent: mlops.x.v1\ndata: {\"a\":\ndata: 1}\n\n";
  for (const char* end : {"\n", "\r", "\r\n"}) {
    std::string ended;
    for (const char c : text) ended += c == '\n' ? std::string(end) : std::string(1, c);
    EventParser whole;
    const auto at_once = parse(whole, {ended});
    REQUIRE(at_once.size() == 1);
    CHECK(at_once[0].id == "7");
    CHECK(at_once[0].type == "mlops.x.v1");
    CHECK(at_once[0].data == "{\"a\":\n1}");
    EventParser single;
    std::vector<std::string> bytes;
    for (const char c : ended) bytes.emplace_back(1, c);
    CHECK(parse(single, bytes).size() == 1);
  }
}

TEST_CASE("an id alone is remembered, and half an event is forgotten with its connection") {
  EventParser parser;
  CHECK(parse(parser, {"id: 9\n\n"}).empty());
  CHECK(parser.last_id() == "9");
  parse(parser, {"id: 10\ndata: half"});
  CHECK(parser.last_id() == "9");
  parser.reset();
  const auto next = parse(parser, {"data: whole\n\n"});
  REQUIRE(next.size() == 1);
  CHECK(next[0].data == "whole");
  CHECK(next[0].id == "9");
}

TEST_CASE("a stream that ends is followed on from the last id") {
  FakeApi api;
  api.bodies["/api/v1/events?type=release.%2A&heartbeat=5&since=3"] = "id: 4\ndata: a\n\n";
  api.bodies["/api/v1/events?type=release.%2A&after=4&heartbeat=5"] = "id: 5\ndata: b\n\n";
  std::vector<std::string> seen;
  Follower follower;
  follower.on_event = [&](const StreamEvent& event) -> Result<FollowNext> {
    seen.push_back(event.id + event.data);
    return seen.size() == 2 ? FollowNext::kStop : FollowNext::kGoOn;
  };
  follower.on_life = []() -> Result<FollowNext> { return FollowNext::kGoOn; };
  follower.on_break = [](const Error&) {};
  const FakeClock clock(0);
  std::int64_t paused_ms = 0;
  const Pace pace{clock, [&](std::int64_t ms) { paused_ms += ms; }};
  REQUIRE(follow_events(api, {"release.*", {}, {}, "3", 5}, follower, pace));
  CHECK(seen == std::vector<std::string>{"4a", "5b"});
  CHECK(paused_ms > 0);
}

TEST_CASE("what the server refuses at first is an error") {
  FakeApi api;
  Follower follower;
  const FakeClock clock(0);
  const auto followed = follow_events(api, {}, follower, {clock, [](std::int64_t) {}});
  REQUIRE_FALSE(followed);
  CHECK(followed.error().slug == "not_scripted");
}
