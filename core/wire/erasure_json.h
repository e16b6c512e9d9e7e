// An erasure's plan ⇄ JSON: as the database keeps it and as the API shows it. Pure functions.
#pragma once

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/erasure.h"

namespace mlops::wire {

Json to_json(const model::ErasurePlan& plan);
// Errors: kCorrupt "bad_erasure".
Result<model::ErasurePlan> erasure_plan_from_json(const Json& json);

}  // namespace mlops::wire
