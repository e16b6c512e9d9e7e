// What Prometheus reads: requests by route and status, their durations, and the process. The only prometheus-cpp room.
// Labels are route patterns and status codes, never names or values. Thread-safety: thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/http/server.h"

namespace mlops::app {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  void observe(const http::RequestRecord& record);
  // One pass of the background scrub.
  void scrubbed(std::uint64_t objects, std::uint64_t problems);
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::app
