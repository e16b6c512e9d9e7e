// Promoting to a selector: starting a rollout and following it, and how a rollout reads.
// Thread-safety: rollout_lines is pure; run_rollout belongs to the main thread.
#pragma once

#include "cli/cmd/lines.h"
#include "cli/cmd/release_flow.h"

namespace mlops::cli {

Lines rollout_lines(const Json& rollout, const Style& style);

// Starts it with the options of `promote` and tells each step as it is done. Exit 0 when it is done or has reached a
// pause that somebody ends, 3 when it stopped or waits for approvals, 7 when the time is out; it goes on by itself
// then.
Result<int> run_rollout(Session& session, const WaitOptions& wait, const Pace& pace);
// The same for one that is under way.
Result<int> follow_rollout(Session& session, Json rollout, const WaitOptions& wait, const Pace& pace);

}  // namespace mlops::cli
