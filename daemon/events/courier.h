// One attempt to hand one event to one receiver: resolved and judged, connected to where it was judged, signed, and
// given up after a while, whatever the receiver does meanwhile. Redirects are never followed.
//
// Thread-safety: InFlight is thread-safe; a Courier belongs to one thread and keeps its connection between attempts.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/seal.h"
#include "core/net/bulk_client.h"
#include "core/net/destination.h"
#include "daemon/events/cloud_event.h"
#include "daemon/events/schedule.h"

namespace mlops::events {

struct CourierOptions {
  net::Destinations destinations;
  std::string source;                        // of CloudEvents
  std::string ca_file;                       // PEM, trusted instead of the system's; empty: the system's
  std::chrono::milliseconds timeout{15000};  // of an attempt in all
};

// Attempts under way, so that one that takes too long, or all at the end, can be broken off from outside.
class InFlight {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // False: nothing may begin any more.
  bool enter(net::BulkClient* client, Time deadline);
  void leave(net::BulkClient* client);
  void break_overdue(Time now);
  // For good.
  void break_all();
  bool is_closed() const;

 private:
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::map<net::BulkClient*, Time> deadlines_;
};

struct Receiver {
  std::string url;
  Mode mode = Mode::kStructured;
  std::vector<crypto::SecretBytes> secrets;
};

struct Attempt {
  Outcome outcome = Outcome::kReceiverFailed;
  int status = 0;     // 0: there was no answer
  std::string error;  // a slug; empty: delivered
  std::optional<std::int64_t> retry_after_us;
};

class Courier {
 public:
  // REQUIRES: `options` and `in_flight` outlive it.
  Courier(const CourierOptions& options, InFlight& in_flight, Receiver receiver);

  Attempt deliver(const meta::Event& event, TimestampUs now_us);

 private:
  Status connect();

  const CourierOptions& options_;
  InFlight& in_flight_;
  const Receiver receiver_;
  std::optional<net::BulkClient> client_;
  std::string path_;
};

}  // namespace mlops::events
