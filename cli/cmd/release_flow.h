// What plan, promote and rollback share: explaining a refusal, and waiting for people to approve.
// Thread-safety: main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/session.h"
#include "core/base/clock.h"

namespace mlops::cli {

// A promotion or rollback that is sent again once a plan is approved.
struct ReleaseRequest {
  std::string path;  // "/api/v1/promotions"
  Json body;
};

enum class WhenPending { kStop, kWait };

struct WaitOptions {
  WhenPending when_pending = WhenPending::kStop;
  std::int64_t timeout_s = 3600;
};

// --wait and --timeout. Errors: kInvalid "usage", "bad_duration".
Result<WaitOptions> wait_options(const Session& session);

// Time and pausing as a seam for tests.
struct Pace {
  const Clock& clock;
  std::function<void(std::int64_t milliseconds)> pause;
};
Pace real_pace();

// The body that asks for a plan or a promotion of `ref`, from the options both verbs have.
Result<Json> plan_request(Session& session, const std::string& ref, const std::string& environment);

// Sends the request. Done: prints what happened, exit 0. Gates deny: prints them with what would pass, exit 3.
// Approvals missing: the same with the command that approves, exit 3, or with kWait polls the plan until it can be
// executed (then executes exactly that plan), is rejected (3), goes stale (6), or time is out (7).
Result<int> run_release(Session& session, const ReleaseRequest& request, const WaitOptions& wait, const Pace& pace);

}  // namespace mlops::cli
