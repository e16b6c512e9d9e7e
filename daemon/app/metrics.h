// What Prometheus reads: requests by route and status, their durations, and the process. The only prometheus-cpp room.
// Labels are route patterns, status codes and ids of webhooks, never names or values. Thread-safety: thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/http/server.h"

namespace mlops::app {

struct WebhookFigures {
  std::string id;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::int64_t lag = 0;
  std::int64_t held = 0;
  std::int64_t dead = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  void observe(const http::RequestRecord& record);
  // One pass of the background scrub.
  void scrubbed(std::uint64_t objects, std::uint64_t problems);
  // All there are now; those of before are forgotten.
  void webhooks(const std::vector<WebhookFigures>& figures);
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::app
