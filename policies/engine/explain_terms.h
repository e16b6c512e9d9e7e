// The terms of a policy for explain: each with its value and who enforces it. Private to policies/engine.
// Thread-safety: pure functions.
#pragma once

#include "core/base/json.h"
#include "policies/engine/body.h"

namespace mlops::policy {

// Adds "terms", "effective", "requirements", "exceptions", "attestations", "evidence", "keys", "categories", "notes".
void add_terms(const Policy::Body& body, Json& out);

}  // namespace mlops::policy
