// The server's events as they come (server-sent events), over reconnects: what was seen is not seen again, and nothing
// in between is missed. Thread-safety: the main thread's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/cmd/release_flow.h"
#include "cli/session.h"

namespace mlops::cli {

struct StreamEvent {
  std::string id;
  std::string type;
  std::string data;
};

// Bytes to events (WHATWG HTML, 9.2.6): lines end with LF, CR or CRLF, an empty one gives the event.
class EventParser {
 public:
  using Take = std::function<Status(const StreamEvent&)>;
  // Errors: what `take` gives; kInternal "bad_answer" for a line beyond 4 MiB.
  Status feed(std::string_view bytes, const Take& take);
  // The last id that was given, with an event or alone; "" before the first.
  const std::string& last_id() const { return last_id_; }
  // Forgets what is not whole: the connection was lost.
  void reset();

 private:
  Status line(const Take& take);
  void field(std::string_view name, std::string_view value);

  std::string line_;
  bool was_return_ = false;
  StreamEvent event_;
  std::string next_id_;
  std::string last_id_;
};

struct Follow {
  std::string types;  // separated by commas; empty: all
  std::string subject;
  std::string environment;
  std::string since;  // a number or a time; empty: from now on
  int heartbeat_s = 5;
};

enum class FollowNext { kGoOn, kStop };

struct Follower {
  std::function<Result<FollowNext>(const StreamEvent&)> on_event;
  // Whenever something came, an event or a sign of life; the first time nothing that follows will be missed.
  std::function<Result<FollowNext>()> on_life;
  // The connection broke; it is tried again.
  std::function<void(const Error&)> on_break;
  // After it, breaks are not tried again.
  std::optional<TimestampUs> deadline_us;
};

// Until the follower stops it, or the deadline passes while there is no connection. Errors: the first connection's,
// what the server refuses (a token, a wrong filter), the follower's.
Status follow_events(ApiClient& api, const Follow& what, const Follower& follower, const Pace& pace);

}  // namespace mlops::cli
