// Finds a peer that sends too slowly: fewer bytes than the minimum rate over a window of time spent waiting for it.
// Time in which this side was busy does not count. Thread-safety: one thread. Unit: milliseconds, bytes.
#pragma once

#include <chrono>
#include <cstddef>

namespace mlops::http {

class RateGuard {
 public:
  RateGuard(std::size_t min_bytes_per_s, std::chrono::milliseconds window)
      : min_bytes_(min_bytes_per_s * static_cast<std::size_t>(window.count()) / 1000), window_(window) {}

  // False when a window has just ended with too few bytes.
  bool feed(std::size_t size_bytes, std::chrono::milliseconds waited) {
    bytes_ += size_bytes;
    waited_ += waited;
    if (waited_ < window_) return true;
    const bool fast_enough = bytes_ >= min_bytes_;
    bytes_ = 0;
    waited_ = {};
    return fast_enough;
  }

 private:
  std::size_t min_bytes_;
  std::chrono::milliseconds window_;
  std::size_t bytes_ = 0;
  std::chrono::milliseconds waited_{0};
};

}  // namespace mlops::http
