#include "cli/cmd/event_stream.h"

#include <algorithm>
#include <utility>

#include "cli/cmd/query.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kLineBytesMax = 4u << 20;
constexpr std::int64_t kFirstPauseMs = 200;
constexpr std::int64_t kLongestPauseMs = 5'000;

// Ends a transfer that the follower has enough of.
Failure enough() {
  return fail(ErrorCode::kInternal, "followed_enough", {});
}

bool may_pass(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
}

Status obey(const Result<FollowNext>& next) {
  if (!next) return fail(next.error());
  if (*next == FollowNext::kStop) return enough();
  return {};
}

}  // namespace

void EventParser::reset() {
  line_.clear();
  was_return_ = false;
  event_ = {};
  next_id_ = last_id_;
}

Status EventParser::feed(std::string_view bytes, const Take& take) {
  for (const char c : bytes) {
    const bool ends_return = std::exchange(was_return_, c == '\r');
    if (c == '\n' && ends_return) continue;
    if (c != '\n' && c != '\r') {
      line_ += c;
      if (line_.size() > kLineBytesMax) return fail(ErrorCode::kInternal, "bad_answer", "an event is too long");
      continue;
    }
    MLOPS_TRY(line(take));
    line_.clear();
  }
  return {};
}

Status EventParser::line(const Take& take) {
  if (!line_.empty()) {
    const auto colon = std::min(line_.find(':'), line_.size());
    std::string_view value = std::string_view(line_).substr(std::min(colon + 1, line_.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(std::string_view(line_).substr(0, colon), value);
    return {};
  }
  last_id_ = next_id_;
  auto event = std::exchange(event_, {});
  if (event.data.empty()) return {};
  event.data.pop_back();  // the line end that each line of data adds
  event.id = last_id_;
  return take(event);
}

void EventParser::field(std::string_view name, std::string_view value) {
  if (name == "id") next_id_ = value;
  if (name == "event") event_.type = value;
  if (name == "data") event_.data.append(value) += '\n';
}

Status follow_events(ApiClient& api, const Follow& what, const Follower& follower, const Pace& pace) {
  EventParser parser;
  bool was_open = false;
  std::int64_t pause_ms = kFirstPauseMs;
  const EventParser::Take take = [&](const StreamEvent& event) { return obey(follower.on_event(event)); };
  const auto sink = [&](ByteView bytes) -> Status {
    was_open = true;
    pause_ms = kFirstPauseMs;
    MLOPS_TRY(parser.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, take));
    return obey(follower.on_life());
  };
  while (true) {
    Query query("/api/v1/events");
    query.add("type", what.types).add("subject", what.subject).add("environment", what.environment);
    query.add("after", parser.last_id()).add("heartbeat", std::to_string(what.heartbeat_s));
    if (parser.last_id().empty()) query.add("since", what.since);
    const auto ended = api.get_for_stream(query.text(), sink);
    if (!ended && ended.error().slug == "followed_enough") return {};
    if (!ended && (!was_open || !may_pass(ended.error()))) return ended;
    if (follower.deadline_us && pace.clock.now_us() >= *follower.deadline_us) return {};
    if (!ended) follower.on_break(ended.error());
    parser.reset();
    pace.pause(pause_ms);
    pause_ms = std::min(pause_ms * 2, kLongestPauseMs);
  }
}

}  // namespace mlops::cli
