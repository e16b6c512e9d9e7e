#include "daemon/events/sender.h"

#include <algorithm>

#include "core/base/log.h"
#include "daemon/domain/identity.h"

namespace mlops::events {
namespace {

using SteadyClock = std::chrono::steady_clock;

// When the store or a secret fails, not at once again.
constexpr std::int64_t kAfterFailureUs = 5'000'000;
constexpr std::size_t kQueueLimit = 4096;
constexpr auto kLongestSleep = std::chrono::seconds(60);  // the machine's clock may be set meanwhile
constexpr auto kWhileBusy = std::chrono::seconds(1);      // how late an overdue attempt may be broken off

}  // namespace

Sender::Sender(meta::Store& store, Webhooks& webhooks, const CourierOptions& courier, SenderOptions options)
    : store_(store),
      webhooks_(webhooks),
      courier_options_(courier),
      options_(std::move(options)),
      random_(std::random_device()()),
      pool_(options_.threads, kQueueLimit) {
  webhooks_.on_change([this] { reload(); });
  store_.on_commit([this] { wake(); });
  thread_ = std::thread([this] { run(); });
}

Sender::~Sender() {
  store_.on_commit({});
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  in_flight_.break_all();
  thread_.join();
  webhooks_.on_change({});
}

// The writer thread calls this after every commit.
void Sender::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (is_woken_) return;
    is_woken_ = true;
    if (hooks_.empty()) return;
  }
  changed_.notify_one();
}

void Sender::reload() {
  {
    const std::lock_guard lock(mutex_);
    must_load_ = true;
  }
  changed_.notify_one();
}

void Sender::run() {
  while (true) {
    bool must_load = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, next_look(), [this] {
        return is_stopping_ || must_load_ || (is_woken_ && !hooks_.empty()) || next_look() <= SteadyClock::now();
      });
      if (is_stopping_) return;
      must_load = std::exchange(must_load_, false);
      if (std::exchange(is_woken_, false)) {
        for (auto& [id, hook] : hooks_) hook.is_dirty = true;
      }
    }
    if (must_load) load();
    in_flight_.break_overdue(SteadyClock::now());
    hand_out();
  }
}

// REQUIRES: mutex_ is held.
SteadyClock::time_point Sender::next_look() {
  const auto now = SteadyClock::now();
  auto next = now + kLongestSleep;
  const auto now_us = store_.now_us();
  for (const auto& [id, hook] : hooks_) {
    if (hook.is_busy) next = std::min(next, now + kWhileBusy);
    if (hook.is_busy || hook.row.state != "active" || (!hook.is_dirty && hook.due_us == 0)) continue;
    const auto due_us = std::max(hook.is_dirty ? now_us : hook.due_us, hook.resting_us);
    next = std::min(next, now + std::chrono::microseconds(std::max<std::int64_t>(due_us - now_us, 0)));
  }
  return next;
}

void Sender::load() {
  using Rows = std::vector<meta::WebhookRow>;
  auto rows = store_.read<Rows>(meta::list_webhooks);
  const std::lock_guard lock(mutex_);
  if (!rows) {
    log::warn("webhooks_unreadable", {{"slug", std::string_view(rows.error().slug)}});
    must_load_ = true;
    return;
  }
  for (auto at = hooks_.begin(); at != hooks_.end();) {
    const bool is_there = std::any_of(rows->begin(), rows->end(),
                                      [&](const auto& row) { return row.id == at->first && row.state == "active"; });
    at = is_there || at->second.is_busy ? std::next(at) : hooks_.erase(at);
  }
  for (auto& row : *rows) {
    const auto known = hooks_.find(row.id);
    if (row.state != "active" && known == hooks_.end()) continue;
    auto& hook = known == hooks_.end() ? hooks_[row.id] : known->second;
    hook.row = std::move(row);
    hook.is_dirty = true;
    hook.resting_us = 0;
    hook.cursor = 0;
    ++hook.loaded;
  }
}

bool Sender::is_ready(const Hook& hook, TimestampUs now_us) const {
  if (hook.is_busy || hook.resting_us > now_us || hook.row.state != "active") return false;
  return hook.is_dirty || (hook.due_us > 0 && hook.due_us <= now_us);
}

void Sender::hand_out() {
  const std::lock_guard lock(mutex_);
  const auto now_us = store_.now_us();
  for (auto& [id, hook] : hooks_) {
    if (!is_ready(hook, now_us)) continue;
    hook.is_busy = pool_.try_post([this, key = id] { take_turn(key); });
    if (hook.is_busy) hook.is_dirty = false;
  }
}

double Sender::chance() {
  const std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0, 1)(random_);
}

void Sender::take_turn(const std::string& id) {
  meta::WebhookRow row;
  std::int64_t cursor = 0;
  std::uint64_t loaded = 0;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    const auto& hook = hooks_[id];
    row = hook.row;
    cursor = hook.cursor;
    loaded = hook.loaded;
  }
  auto receiver = webhooks_.receiver_of(row);
  if (!receiver) return finish(id, loaded, fail(receiver.error()));
  // Resolved and judged anew each turn.
  Courier courier(courier_options_, in_flight_, std::move(*receiver));
  const auto deliver = [&](const meta::Event& event) { return courier.deliver(event, store_.now_us()); };
  Turn turn(store_, options_.turn, std::move(row), cursor, deliver, [this] { return chance(); });
  finish(id, loaded, turn.run());
}

void Sender::finish(const std::string& id, std::uint64_t loaded, const Result<TurnResult>& result) {
  if (result && result->is_gone) disable(id);
  if (!result) {
    log::warn("webhook_turn_failed",
              {{"webhook", std::string_view(id)}, {"slug", std::string_view(result.error().slug)}});
  }
  {
    const std::lock_guard lock(mutex_);
    auto& hook = hooks_[id];
    hook.is_busy = false;
    if (result) {
      hook.is_dirty = hook.is_dirty || result->has_more;
      hook.due_us = result->due_us.value_or(0);
      // 0 is "at once", which here is the past.
      if (result->due_us && hook.due_us == 0) hook.due_us = 1;
      hook.resting_us = result->resting_us.value_or(0);
      hook.cursor = hook.loaded == loaded ? result->cursor : 0;
    } else {
      hook.is_dirty = true;
      hook.resting_us = store_.now_us() + kAfterFailureUs;
    }
    must_load_ = must_load_ || hook.row.state != "active";
  }
  changed_.notify_one();
}

void Sender::disable(const std::string& id) {
  const auto done = webhooks_.change(domain::daemon_actor(), id, Webhooks::Change::kDisable,
                                     "the receiver answered 410: it wants no more", meta::Commit::kKeep);
  if (!done) log::warn("webhook_not_disabled", {{"slug", std::string_view(done.error().slug)}});
}

}  // namespace mlops::events
