// Loading a policy whose `today` (date_truncate) is that of a clock, as it is when a cell is masked: a server runs over
// new year's eve, and a machine's clock may be set back. Thread-safety: pure function.
#pragma once

#include "core/base/clock.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

// REQUIRES: `clock` outlives the policy and is thread-safe. Errors: those of load_policy().
Result<Policy> load_policy_at(std::string_view yaml, const std::string& origin, const Clock& clock);

}  // namespace mlops::policy
