// Plans, promotions, deployments and masking evidence for people.
// Thread-safety: pure functions from the shapes of docs/format/wire.md to Lines.
#pragma once

#include <string>

#include "cli/cmd/gate_text.h"
#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

// A whole plan: what would move where, every gate, masking, approvals, id and digest.
Lines plan_lines(const Json& plan, const Style& style, GateDetail detail);
// What may be done with a plan now, as a command to type; "" when nothing.
std::string next_step_of(const Json& plan);
// The number of approvals given ("approve" decisions).
std::int64_t approvals_given(const Json& plan);

// A masking run: from what to what by which policy, and the columns with their transforms and counts.
Lines masking_lines(const Json& masking, const Style& style);
// What a promotion or rollback did, with the command that undoes it.
Lines promotion_lines(const Json& promotion, const Style& style);
// "name@v3" of a deployment, or all members joined when it has several.
std::string deployment_refs(const Json& deployment);

}  // namespace mlops::cli
