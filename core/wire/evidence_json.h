// Evidence of a decision as JSON, a part of its facts (facts_json.h). What is empty is left out. A wrong shape throws
// Json::exception, which facts_from_json converts. Pure functions.
#pragma once

#include "core/base/json.h"
#include "core/model/evidence.h"

namespace mlops::wire {

Json to_json(const model::MemberEvidence& evidence);
model::MemberEvidence evidence_from(const Json& json);
Json to_json(const std::vector<model::ExternalFact>& answers);
std::vector<model::ExternalFact> external_from(const Json& json);

}  // namespace mlops::wire
