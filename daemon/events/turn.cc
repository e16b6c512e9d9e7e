#include "daemon/events/turn.h"

#include <algorithm>

#include "daemon/domain/identity.h"
#include "daemon/events/webhooks.h"

namespace mlops::events {
namespace {

constexpr std::size_t kLanesOfATurn = 32;

using SteadyClock = std::chrono::steady_clock;

}  // namespace

Turn::Turn(meta::Store& store, const TurnOptions& options, meta::WebhookRow webhook, std::int64_t cursor,
           Deliver deliver, Chance chance)
    : store_(store),
      options_(options),
      webhook_(std::move(webhook)),
      filter_(filter_of(webhook_)),
      deliver_(std::move(deliver)),
      chance_(std::move(chance)),
      until_(SteadyClock::now() + options.budget),
      memory_cursor_(cursor) {}

bool Turn::is_over() const {
  return is_stopped_ || SteadyClock::now() >= until_;
}

Result<TurnResult> Turn::run() {
  MLOPS_ASSIGN(progress_, store_.read<meta::WebhookProgress>([&](sql::Connection& connection) {
    return meta::find_progress(connection, webhook_.id);
  }));
  stored_cursor_ = progress_.cursor;
  progress_.cursor = std::max(progress_.cursor, memory_cursor_);
  if (progress_.resting_until_us <= store_.now_us()) {
    progress_.resting_until_us = 0;
    MLOPS_TRY(send_held());
    if (!is_over()) MLOPS_TRY(send_fresh());
    result_.has_more = result_.has_more || (!is_stopped_ && is_over());
  }
  result_.cursor = progress_.cursor;
  if (progress_.resting_until_us > 0) result_.resting_us = progress_.resting_until_us;
  MLOPS_ASSIGN(result_.due_us, store_.read<std::optional<TimestampUs>>([&](sql::Connection& connection) {
    return meta::next_due(connection, webhook_.id);
  }));
  return result_;
}

Status Turn::send_held() {
  using Held = std::vector<meta::HeldEvent>;
  MLOPS_ASSIGN(const auto heads, store_.read<Held>([&](sql::Connection& connection) {
    return meta::due_lanes(connection, webhook_.id, store_.now_us(), kLanesOfATurn);
  }));
  for (const auto& head : heads) {
    if (is_over()) break;
    MLOPS_TRY(send_lane(head));
  }
  result_.has_more = heads.size() == kLanesOfATurn;
  return put_.empty() && dropped_.empty() ? Status() : write_down();
}

// In order, until one is not taken.
Status Turn::send_lane(const meta::HeldEvent& head) {
  struct Lane {
    std::vector<meta::HeldEvent> held;
    std::vector<meta::Event> events;
  };
  MLOPS_ASSIGN(const auto lane, store_.read<Lane>([&](sql::Connection& connection) -> Result<Lane> {
    Lane read;
    MLOPS_ASSIGN(read.held, meta::lane(connection, webhook_.id, head.subject, options_.batch));
    for (const auto& held : read.held) {
      MLOPS_ASSIGN(auto event, meta::find_event(connection, held.seq));
      MLOPS_TRY(meta::complete(connection, event));
      read.events.push_back(std::move(event));
    }
    return read;
  }));
  for (std::size_t i = 0; i < lane.held.size() && !is_over(); ++i) {
    if (send(lane.events[i], lane.held[i]) == Next::kStop) return {};
  }
  return {};
}

Status Turn::send_fresh() {
  using Batch = std::vector<Fresh>;
  while (!is_over()) {
    MLOPS_ASSIGN(const auto batch, store_.read<Batch>([&](sql::Connection& connection) -> Result<Batch> {
      MLOPS_ASSIGN(auto events, meta::list_events(connection, progress_.cursor, options_.batch));
      Batch read;
      for (auto& event : events) {
        Fresh fresh{std::move(event), false, false};
        if (wants_action(filter_, fresh.event.action)) {
          MLOPS_TRY(meta::complete(connection, fresh.event));
          fresh.is_wanted = matches(filter_, fresh.event);
        }
        if (fresh.is_wanted) {
          MLOPS_ASSIGN(fresh.is_lane_held, meta::is_lane_held(connection, webhook_.id, fresh.event.subject));
        }
        read.push_back(std::move(fresh));
      }
      return read;
    }));
    for (const auto& fresh : batch) {
      if (is_over() || take(fresh) == Next::kStop) break;
    }
    if (must_write()) MLOPS_TRY(write_down());
    if (batch.size() < options_.batch) return {};
  }
  return {};
}

Turn::Next Turn::take(const Fresh& fresh) {
  const auto& event = fresh.event;
  progress_.cursor = event.seq;
  if (!fresh.is_wanted) return Next::kGoOn;
  meta::HeldEvent held;
  held.seq = event.seq;
  held.subject = event.subject;
  if (fresh.is_lane_held || held_now_.contains(event.subject)) {
    put_.push_back(std::move(held));
    return Next::kGoOn;
  }
  send(event, std::move(held));
  if (is_broken_off_) progress_.cursor = event.seq - 1;
  return is_stopped_ ? Next::kStop : Next::kGoOn;
}

// What becomes of the event is noted; kStop: its lane must not go on.
Turn::Next Turn::send(const meta::Event& event, meta::HeldEvent held) {
  const auto attempt = deliver_(event);
  if (attempt.outcome == Outcome::kBrokenOff) {
    is_stopped_ = is_broken_off_ = true;
    return Next::kStop;
  }
  progress_.last_attempt_at_us = store_.now_us();
  progress_.last_status = attempt.status;
  progress_.last_error = attempt.error;
  if (attempt.outcome == Outcome::kDelivered) {
    ++progress_.delivered;
    progress_.last_delivered_at_us = progress_.last_attempt_at_us;
    dropped_.push_back(held.seq);
    return Next::kGoOn;
  }
  ++progress_.failed;
  note_failure(attempt, held);
  const bool is_dead = held.state == "dead";
  if (!is_dead) held_now_.insert(held.subject);
  put_.push_back(std::move(held));
  return is_dead && !is_stopped_ ? Next::kGoOn : Next::kStop;
}

void Turn::note_failure(const Attempt& attempt, meta::HeldEvent& held) {
  ++held.attempts;
  held.last_status = attempt.status;
  held.last_error = attempt.error;
  const auto wait_us = next_wait_us(options_.schedule, held.attempts, chance_());
  if (wait_us) {
    held.next_attempt_at_us = store_.now_us() + std::max(*wait_us, attempt.retry_after_us.value_or(0));
  } else {
    held.state = "dead";
  }
  if (attempt.outcome == Outcome::kEventFailed) return;
  is_stopped_ = true;
  result_.is_gone = attempt.outcome == Outcome::kGone;
  if (wait_us) progress_.resting_until_us = held.next_attempt_at_us;
}

// A cursor that only passed what nobody wants may be lost: it is cheap to pass it again, and a commit for every change
// of others would double the writer's work.
bool Turn::must_write() const {
  return !put_.empty() || !dropped_.empty() || progress_.cursor - stored_cursor_ >= options_.lazy_entries;
}

Status Turn::write_down() {
  const auto done =
      store_.write<bool>(domain::daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
        MLOPS_TRY(meta::find_webhook(tx.sql(), webhook_.id));  // it may have been removed meanwhile
        MLOPS_ASSIGN(const auto now, meta::find_progress(tx.sql(), webhook_.id));
        auto progress = progress_;
        // Somebody set the cursor back meanwhile: what this turn has sent is sent again.
        const bool is_rewound = now.cursor < stored_cursor_;
        if (is_rewound) progress.cursor = now.cursor;
        for (const auto seq : dropped_) MLOPS_TRY(meta::drop_held(tx, webhook_.id, seq));
        for (const auto& held : put_) {
          if (!is_rewound || held.seq <= now.cursor) MLOPS_TRY(meta::put_held(tx, webhook_.id, held));
        }
        MLOPS_TRY(meta::put_progress(tx, progress));
        progress_ = progress;
        return true;
      });
  if (!done) return fail(done.error());
  stored_cursor_ = progress_.cursor;
  put_.clear();
  dropped_.clear();
  held_now_.clear();
  return {};
}

}  // namespace mlops::events
