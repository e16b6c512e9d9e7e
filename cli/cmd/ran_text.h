// The answer of `ran`: what an environment ran at a time, what that was made from, and who decided.
// Thread-safety: pure functions.
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

// The datasets of an upward lineage graph: [{"ref","role","sensitivity","masked":bool}], the nearest first. `masked`:
// a masking run made it.
Json training_data_of(const Json& lineage);
// One deployment with its plan, members, and their training data and lineage (cli/cmd/ran.cc builds it).
Lines ran_lines(const Json& ran, const Style& style);

}  // namespace mlops::cli
