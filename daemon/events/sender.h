// Delivers events to all webhooks: one thread that knows whose turn it is, and a few that take turns. Woken by commits,
// by changes of webhooks and by the time of what is held; nothing is polled.
//
// Nothing is lost with the process: what was not written down is sent again (turn.h).
// Thread-safety: wake() and reload() from any thread, at once; construction and destruction by one.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "core/base/thread_pool.h"
#include "daemon/events/turn.h"
#include "daemon/events/webhooks.h"

namespace mlops::events {

struct SenderOptions {
  TurnOptions turn;
  std::size_t threads = 8;  // webhooks that are served at the same time
};

class Sender {
 public:
  // REQUIRES: all outlive it.
  Sender(meta::Store& store, Webhooks& webhooks, const CourierOptions& courier, SenderOptions options);
  // Breaks off what is under way and ends.
  ~Sender();

  void wake();    // something was committed
  void reload();  // a webhook was made or changed

 private:
  struct Hook {
    meta::WebhookRow row;
    bool is_busy = false;
    bool is_dirty = true;  // there may be something new
    TimestampUs due_us = 0;
    TimestampUs resting_us = 0;
    std::int64_t cursor = 0;   // how far was looked, which may be ahead of what is written
    std::uint64_t loaded = 0;  // how often the row was; a cursor of before is void
  };

  void run();
  void load();
  void hand_out();
  void take_turn(const std::string& id);
  void finish(const std::string& id, std::uint64_t loaded, const Result<TurnResult>& result);
  void disable(const std::string& id);
  bool is_ready(const Hook& hook, TimestampUs now_us) const;
  std::chrono::steady_clock::time_point next_look();
  double chance();

  meta::Store& store_;
  Webhooks& webhooks_;
  const CourierOptions& courier_options_;
  const SenderOptions options_;
  InFlight in_flight_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  bool is_woken_ = true;
  bool must_load_ = true;
  // One that is gone is dropped when it is not busy.
  std::map<std::string, Hook> hooks_;
  std::mt19937_64 random_;  // for jitter alone; under mutex_

  ThreadPool pool_;
  std::thread thread_;
};

}  // namespace mlops::events
