// Evidence of a release that only some gates ask for, put among its facts. Look-ups only: what must be read or asked
// outside of the database is prepared before (Prepared). Errors: those of meta. Thread-safety: values and free
// functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/facts.h"
#include "daemon/domain/measurer.h"
#include "policies/engine/policy.h"
#include "storage/sql/connection.h"

namespace mlops::domain {

// What was measured and asked outside of the writer, for one request.
struct Prepared {
  Measurements measurements;
  std::vector<model::ExternalFact> answers;
};

enum class Missing { kNothing, kEvidence };  // kEvidence: preparing may give more

// `prepared`: nullptr when nothing was. `earlier`: answers of servers to an earlier decision about the same plan.
Result<Missing> collect_evidence(sql::Connection& connection, const std::vector<policy::Policy>& policies,
                                 const Prepared* prepared, const std::vector<model::ExternalFact>& earlier,
                                 model::PromotionFacts& facts);

// The names of servers the policies ask for such members, each with its shortest timeout.
std::vector<std::pair<std::string, std::int64_t>> external_asks(const std::vector<policy::Policy>& policies,
                                                                const model::PromotionFacts& facts);

}  // namespace mlops::domain
