// Releases laid down as files in the directories that environments name (`target:`), kept equal to what runs.
//
// Level-triggered: after every commit, and at start, the running deployments of environments with a target are compared
// with what was delivered, and what differs is delivered; of several fast promotions the newest wins and those between
// may be skipped. A failure leaves the old release where it is and is tried again with growing pauses. A second thread
// reads delivered files back, slowly, and what has changed is delivered again.
//
//   pending → delivered ⇄ drifted         pending | delivered | drifted → failed → delivered
//
// Errors: kNotFound "environment_not_found", "no_target"; kInvalid "root_unknown"; kUnavailable "root_missing"; those
// of ReleaseDirectory. Thread-safety: thread-safe; construct and destroy on one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/model/environment.h"
#include "daemon/domain/release_directory.h"
#include "storage/cas/content_store.h"
#include "storage/meta/deliveries.h"
#include "storage/meta/releases.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct DeliveryOptions {
  std::map<std::string, std::string> roots;  // name → absolute directory; empty: nothing is ever delivered
  std::size_t keep = 2;                      // replaced releases that stay …
  std::int64_t grace_s = 60;                 // … and how long each stays at least
  std::int64_t verify_every_s = 3600;        // 0: never
  std::uint64_t verify_bytes_per_s = 32u << 20;
  StepHook hook = {};
};

struct DeliveryView {
  meta::DeliveryRow row;
  std::string deployment_ref;  // "hospital/readmission@v3"
  std::string layout;
  TimestampUs running_since_us = 0;
};

class Delivery {
 public:
  Delivery(meta::Store& store, cas::ContentStore& content, DeliveryOptions options);
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Begins to deliver and to verify. Without it (tests) reconcile() is called by hand.
  void start();
  // One round over everything; when to come again at the latest.
  std::chrono::milliseconds reconcile();

  // Whether this daemon could deliver there now.
  Status check_target(const model::DeliveryTarget& target) const;
  // Of one environment, or of all (empty).
  Result<std::vector<DeliveryView>> list(const std::string& environment);
  // Reads everything back now.
  Result<std::vector<DeliveryView>> verify(const std::string& environment);
  // Tries at once what had failed.
  Result<std::vector<DeliveryView>> retry(const std::string& environment);

 private:
  // One running release and where it belongs.
  struct Line {
    meta::DeploymentRow deployment;
    model::DeliveryTarget target;
    std::optional<meta::DeliveryRow> row;

    std::string place() const;
    std::string wish() const;  // what it takes to be settled: another deployment or target is another wish
  };
  enum class Outcome { kSettled, kWaiting };

  Result<std::vector<Line>> lines(const std::string& environment);
  Result<std::vector<Line>> lines_of_named(const std::string& environment);
  Result<std::optional<Line>> again(const Line& line);
  bool is_settled(const Line& line);
  Outcome settle(const Line& line, const std::set<std::string>& taken, std::chrono::milliseconds& next);
  Status deliver(const Line& line);
  Result<Placement> placement_of(const Line& line);
  Result<ReleaseDirectory> directory_of(const Line& line) const;
  Status verify_line(const Line& line, const Pace& pace);
  void record_failure(const Line& line, const Error& error);
  Status record(meta::DeliveryRow row);
  Result<std::vector<DeliveryView>> views(const std::vector<Line>& lines);
  void deliver_loop();
  void verify_loop();
  void verify_due();

  meta::Store& store_;
  cas::ContentStore& content_;
  const DeliveryOptions options_;
  std::atomic<bool> is_stopping_{false};

  std::mutex mutex_;                            // of what follows
  std::map<std::string, std::string> settled_;  // place → wish, as this process has seen it on the disk
  std::string staging_;                         // the deployment that is being laid down; empty: none
  std::condition_variable wake_;

  std::thread deliverer_;
  std::thread verifier_;
};

}  // namespace mlops::domain
