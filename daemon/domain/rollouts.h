// Promotions to several environments in waves. Each step is an ordinary plan and its promotion, with its own gates.
//
//   running ─→ done                      waiting ─→ planned ─→ done | unchanged | failed
//   running ⇄ paused                     waiting, planned ─→ skipped            when the rollout stops
//   running, paused ─→ stopped           done ─→ rolled_back | not_rolled_back  while it rolls back
//   running ─→ rolling_back ─→ stopped
// Everything is in the database: a worker takes the next piece of work from there, also after a crash. A step's plan is
// recorded before it is executed, and a plan is executed once, so no step is. A rollout acts with the token that
// started it, or last continued it: when that is revoked or has expired, it stops. A first step that fails stops the
// rest; with rollback on failure, what it has changed goes back, the last first. A step that waits for approvals pauses
// it. Errors: kInvalid "bad_selector", "bad_waves", "bad_field"; kNotFound "no_environment_matches",
// "rollout_not_found"; kConflict "rollout_not_paused", "rollout_over". Thread-safety: thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/domain/promotion.h"
#include "storage/meta/rollouts.h"

namespace mlops::domain {

struct RolloutRequest {
  std::vector<std::string> refs;  // the first is the release's namesake; or a named release alone
  std::string selector;
  std::string reason;
  std::vector<std::string> waves;  // cumulative sizes, "1", "50%"; empty: all at once
  std::int64_t wave_count = 0;     // instead: so many even waves
  std::int64_t pause_s = 0;        // between waves; -1: until somebody continues
  bool rollback_on_failure = false;
  bool accepts_rejected = false;  // also where an environment was rolled back from it
};

struct RolloutView {
  meta::RolloutRow row;
  std::vector<meta::RolloutStepRow> steps;
};

class Rollouts {
 public:
  Rollouts(meta::Store& store, Promotion& promotion) : store_(store), promotion_(promotion) {}
  ~Rollouts();
  Rollouts(const Rollouts&) = delete;
  Rollouts& operator=(const Rollouts&) = delete;

  // From then on work is done as it comes. REQUIRES: called once at most.
  void start_worker();

  Result<RolloutView> start(const meta::Actor& actor, const RolloutRequest& request, meta::Commit commit);
  Result<RolloutView> get(const std::string& id);
  Result<std::vector<meta::RolloutRow>> list(const meta::RolloutFilter& filter);
  // Of a paused one: goes on now, with the rights of `actor`.
  Result<RolloutView> go_on(const meta::Actor& actor, const std::string& id, meta::Commit commit);
  // What is under way is finished; what has not begun is skipped.
  Result<RolloutView> stop(const meta::Actor& actor, const std::string& id, const std::string& reason,
                           meta::Commit commit);

  // One piece of work. False: there is none now. What the worker calls; tests without a worker call it themselves.
  Result<bool> work_once();

 private:
  struct Work {
    meta::Actor actor;
    meta::RolloutRow rollout;
    std::vector<meta::RolloutStepRow> steps;
  };
  struct Outcome {
    std::string state;
    std::string deployment_id;
    std::string detail;
  };

  void loop();
  std::int64_t wait_ms();
  Result<bool> advance(meta::RolloutRow rollout);
  Status resume(const meta::RolloutRow& rollout);
  Status promote_next(Work& work);
  Status plan_step(Work& work, meta::RolloutStepRow step);
  Status execute_step(Work& work, const meta::RolloutStepRow& step);
  Status closed_plan(Work& work, const meta::RolloutStepRow& step);
  Status replan(Work& work, meta::RolloutStepRow step);
  Status roll_back_next(Work& work);
  Result<Outcome> roll_back(Work& work, const meta::RolloutStepRow& step);
  Status record(const Work& work, const meta::RolloutStepRow& step, const Outcome& outcome);
  Status set_state(const meta::Actor& actor, const std::string& id, const std::string& state,
                   const std::string& reason);

  meta::Store& store_;
  Promotion& promotion_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  bool has_news_ = false;
  std::thread thread_;
};

}  // namespace mlops::domain
