// The background scrub: one thread that reads everything stored, slowly, again and again, so that bytes that rot are
// found while a good copy still exists somewhere; and the chores that want no request to wait for them (emptying the
// trash).
//
// What is damaged is set aside by the check (storage/cas/check.h) and told to the log and to `on_pass`. Errors end a
// pass and are logged; the next begins as usual. Thread-safety: construct and destroy on one thread; the callbacks run
// on the scrub's own. Stops within a fraction of a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "storage/cas/check.h"

namespace mlops::domain {

struct ScrubOptions {
  std::uint64_t bytes_per_second = 8u << 20;  // 0: no scrub, only chores
  std::int64_t first_after_ms = 60'000;
  std::int64_t pause_ms = 3600'000;  // from the end of a pass to the next
  std::function<void(const cas::CheckReport&)> on_pass = [](const cas::CheckReport&) {};
  std::function<void()> chores = [] {};  // before each pass
};

class Scrubber {
 public:
  Scrubber(cas::ContentStore& content, ScrubOptions options);
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

 private:
  void loop();
  void pass();
  // False when it is time to stop.
  bool wait_ms(std::int64_t duration_ms);

  cas::ContentStore& content_;
  const ScrubOptions options_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace mlops::domain
