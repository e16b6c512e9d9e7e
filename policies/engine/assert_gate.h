// Gates written as expressions: what they may speak about, and reading one from a policy.
//
//   assert: metric("auc") >= 0.82 && lineage.complete
//
// Names and types are the rows of assert_gate.cc:
//   target.environment.…   where the release goes          artifact.…   the member that the gate speaks about
//   lineage.…              where the member is from        current.…    what runs now
//   taint, taint.has("personal")   the member's label; the label given or a higher one
//   members, approvals, requested_by, reason, is_rollback, now   the change
//   metric("auc"), metric("auc", "holdout")   the member's metrics "auc" and "auc.holdout"
//   current_metric("auc")                     the same of what runs now
// A fact that is not recorded has no default: the gate fails for want of evidence.
//
// Private to policies/engine and policies/gate, which binds the names. Thread-safety: constants and pure functions.
#pragma once

#include "core/base/yaml.h"
#include "policies/cel/program.h"
#include "policies/engine/gate_rule.h"
#include "policies/engine/reader.h"

namespace mlops::policy {

const cel::Declarations& assert_declarations();

// Reads `assert: EXPR` into the gate. Findings: the compiler's ("cel_…") at line:column inside the file,
// "gate_not_boolean", "gate_cannot_fail", "gate_impossible".
void read_assert(const YamlNode& node, GateRule& gate, Reader& reader);

}  // namespace mlops::policy
