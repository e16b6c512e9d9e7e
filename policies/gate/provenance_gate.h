// The gate on where code came from: the recorded commit is in a configured repository, on an allowed branch, clean.
// Private to policies/gate. Thread-safety: pure function.
#pragma once

#include "policies/engine/gate_rule.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {

// A repository that could not be asked, or a commit that nobody asked for, is missing evidence and fails.
model::GateResult judge_provenance(const GateHead& head, const policy::ProvenanceGate& gate,
                                   const model::MemberFacts& member);

}  // namespace mlops::gate
