// A test of a decision a policy carries: the gates are evaluated on what the test gives. Thread-safety: pure functions.
#pragma once

#include "policies/engine/inline_test.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

// REQUIRES: not a test of a row; the policy loads, so its tests can be read. `allow` is a pass, `deny` is anything
// else, `pending` is a release that lacks approvals only; `because` names a gate that did not pass, or "in_force" where
// the test gives a time (`at`). `result` is completed.
void try_decision(const policy::Policy& policy, const policy::InlineTest& test, policy::TestResult& result);

}  // namespace mlops::gate
