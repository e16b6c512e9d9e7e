// One turn of one webhook: what is held and due first, lane by lane, then what is new; bounded, so that many webhooks
// share few threads.
//
//   An event that was not taken is held, and its lane (its subject) with it: what follows in that lane waits behind it,
//   other lanes go on. When there was no answer, or the receiver said that it is busy, the whole webhook rests until
//   that event's next attempt. After its last attempt an event is dead: kept for redelivery, its lane goes on.
//   What was done is written at the end, in one transaction. A turn that never got there is done again: events arrive
//   a second time, with the same id, in the same order.
//
// Thread-safety: a turn belongs to one thread, and a webhook to one turn at a time.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/events/courier.h"
#include "daemon/events/filter.h"
#include "storage/meta/webhooks.h"

namespace mlops::events {

struct TurnOptions {
  Schedule schedule = standard_schedule();
  std::chrono::milliseconds budget{2000};  // then another webhook's turn comes
  std::size_t batch = 64;                  // events of one look into the log
  std::int64_t lazy_entries = 1000;        // unwanted entries that may be passed without writing the cursor
};

struct TurnResult {
  bool has_more = false;                  // goes on at once
  bool is_gone = false;                   // the receiver wants nothing any more
  std::optional<TimestampUs> due_us;      // when something that is held may be sent
  std::optional<TimestampUs> resting_us;  // nothing is sent before, whatever is new
  std::int64_t cursor = 0;                // how far this turn has looked; written or not
};

class Turn {
 public:
  using Deliver = std::function<Attempt(const meta::Event& event)>;
  using Chance = std::function<double()>;  // 0 to 1, for jitter
  // `cursor`: what the turn before gave, 0 for the first.
  Turn(meta::Store& store, const TurnOptions& options, meta::WebhookRow webhook, std::int64_t cursor, Deliver deliver,
       Chance chance);

  // Errors: those of the store; nothing more is known then than before.
  Result<TurnResult> run();

 private:
  struct Fresh {
    meta::Event event;
    bool is_wanted = false;
    bool is_lane_held = false;
  };
  enum class Next { kGoOn, kStop };

  Status send_held();
  Status send_lane(const meta::HeldEvent& head);
  Status send_fresh();
  Next take(const Fresh& fresh);
  Next send(const meta::Event& event, meta::HeldEvent held);
  void note_failure(const Attempt& attempt, meta::HeldEvent& held);
  Status write_down();
  bool is_over() const;
  bool must_write() const;

  meta::Store& store_;
  const TurnOptions& options_;
  const meta::WebhookRow webhook_;
  const Filter filter_;
  const Deliver deliver_;
  const Chance chance_;
  const std::chrono::steady_clock::time_point until_;

  meta::WebhookProgress progress_;
  std::int64_t memory_cursor_ = 0;
  std::int64_t stored_cursor_ = 0;
  std::vector<meta::HeldEvent> put_;
  std::vector<std::int64_t> dropped_;
  std::set<std::string, std::less<>> held_now_;
  bool is_stopped_ = false;
  bool is_broken_off_ = false;
  TurnResult result_;
};

}  // namespace mlops::events
