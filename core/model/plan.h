// A plan: exactly what would move where, under which revisions, and what every gate says. Approvals sign its digest.
//
// The digest covers what is pinned (members, environment revision, policy digests, what runs now, the masking policy),
// not the verdicts: those are decided anew at execution, and a plan whose pins no longer hold is stale.
// Thread-safety: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/facts.h"
#include "core/model/kind.h"

namespace mlops::model {

struct PlanMember {
  std::string version_id;
  std::string ref;
  ArtifactKind kind = ArtifactKind::kModel;
  std::string name;
  std::string digest;
  Sensitivity sensitivity = Sensitivity::kNone;
};

struct PinnedPolicy {
  std::string revision_id;
  std::string name;
  std::string digest;
};

// A policy in shadow, and whom it stands beside. It is no pin: what it says changes no plan.
struct PinnedShadow {
  PinnedPolicy policy;
  std::string beside;
};

// The dataset exceeds the environment's clearance and this policy will mask it on execution.
struct PlannedMasking {
  PinnedPolicy policy;
  std::string source_version_id;
  std::string source_ref;
  std::string output_name;
};

struct PlanApproval {
  std::string by;
  std::string decision;  // approve, reject
  std::string reason;
  TimestampUs at_us = 0;
};

struct Plan {
  std::string id;
  std::string digest;
  std::string kind = "promote";  // promote, rollback
  std::string state = "open";    // open, executed, rejected, stale
  Verdict verdict = Verdict::kFail;
  std::string environment;
  std::string environment_digest;
  std::vector<PlanMember> members;  // the first is the namesake
  std::vector<PinnedPolicy> policies;
  std::optional<PlannedMasking> masking;
  std::string running_ref;            // empty: nothing
  std::string running_deployment_id;  // pinned
  std::string reason;
  std::string requested_by;
  std::string requested_by_id;
  TimestampUs requested_at_us = 0;
  std::vector<GateResult> gates;
  std::vector<ShadowResult> shadows;      // also those that could not be evaluated
  std::vector<PinnedShadow> shadow_pins;  // of those that could; no part of the digest
  std::vector<PlanApproval> approvals;
  std::int64_t approvals_needed = 0;
};

// The digest over the pins, "sha256:…".
std::string plan_digest(const Plan& plan);

}  // namespace mlops::model
