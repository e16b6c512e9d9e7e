// What differs between two plans: what they pin, the facts they were decided on, the verdicts.
// Errors: those of the server. Thread-safety: as the client.
#pragma once

#include "cli/cmd/lines.h"
#include "cli/session.h"

namespace mlops::cli {

// A list of {"what", "a", "b"}: "pins/environment_digest", "facts/members/0/version/metrics/auc", "gate auc-floor".
Result<Json> plan_differences(ApiClient& api, const Json& a, const Json& b);
Lines difference_lines(const Json& differences, const Json& a, const Json& b, const Style& style);

}  // namespace mlops::cli
