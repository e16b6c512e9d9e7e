// The events of one watcher as server-sent events (WHATWG HTML, 9.2): "id" is the entry's number, from which a watcher
// that comes back goes on. A comment now and then shows both sides that the other is there.
// Errors of next(): kUnauthenticated when the token no longer holds; those of the store.
// Thread-safety: is_due() and next() never at the same time; thread by thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/model/principal.h"
#include "daemon/events/filter.h"

namespace mlops::events {

// How many may watch at the same time.
class WatchSeats {
 public:
  explicit WatchSeats(std::int64_t limit) : limit_(limit) {}
  using Seat = std::shared_ptr<void>;
  // Errors: kUnavailable "too_many_watchers". REQUIRES: this outlives the seat.
  Result<Seat> take();

 private:
  const std::int64_t limit_;
  std::atomic<std::int64_t> taken_{0};
};

struct WatchOptions {
  Filter filter;
  model::Principal principal;
  std::int64_t after_seq = 0;
  std::chrono::seconds heartbeat{10};
  std::string source;                      // of CloudEvents
  std::function<bool()> is_still_allowed;  // asked once a second: microseconds
};

class Watch {
 public:
  Watch(meta::Store& store, WatchOptions options, WatchSeats::Seat seat);

  bool is_due();
  // Frames; "" when there is nothing to say.
  Result<std::string> next();

 private:
  using Time = std::chrono::steady_clock::time_point;
  void add(std::string& out, const meta::Event& event) const;

  meta::Store& store_;
  const WatchOptions options_;
  const WatchSeats::Seat seat_;
  std::uint64_t seen_generation_ = 0;
  std::int64_t after_seq_ = 0;
  std::int64_t told_seq_ = 0;  // of the last id that was sent
  bool is_opened_ = false;
  bool is_allowed_ = true;
  Time spoke_at_;
  Time asked_at_;
};

}  // namespace mlops::events
