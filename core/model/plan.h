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
  std::string decision;  // approve, reject, withdrawn
  std::string reason;
  TimestampUs at_us = 0;
  std::string meaning;       // what the approver says it stands for; may be empty
  std::string key_id;        // empty: not signed
  std::string statement;     // the bytes that were signed
  std::string signature;     // base64
  std::string void_because;  // empty: it counts
};

struct RestoredRelease {
  std::string release_id;
  std::string ref;  // "hospital/readmission@v3", "release:hospital/bundle@r2"
};

struct Plan {
  std::string id;
  std::string digest;
  std::string kind = "promote";  // promote, rollback
  std::string state = "open";    // open, executed, rejected, stale, expired
  Verdict verdict = Verdict::kFail;
  std::string environment;
  std::string environment_digest;
  std::vector<PlanMember> members;  // the first is the namesake
  // What moves under which name: that of the first member with its kind, or a named release.
  std::string release_kind;  // model, dataset, release
  std::string release_name;
  std::int64_t release_number = 0;  // of a named release
  std::string release_id;           // of a named release
  std::vector<PinnedPolicy> policies;
  std::optional<PlannedMasking> masking;
  std::string running_ref;            // empty: nothing
  std::string running_deployment_id;  // pinned
  std::string facts_digest;           // of the facts but for approvals and the time: pinned
  bool is_break_glass = false;
  bool accepts_rejected = false;          // promotes again what the environment was rolled back from
  std::vector<RestoredRelease> restores;  // a rollback to several, whose places the running one took
  std::vector<std::string> overrides;     // ids of gates that a rollback passes over
  TimestampUs expires_at_us = 0;          // 0: plans of before there was an end
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

// Everything the digest covers; whoever is shown a plan can hash it again.
Json plan_pins(const Plan& plan);
// The digest over the pins, "sha256:…".
std::string plan_digest(const Plan& plan);

// What an approver signs: canonical JSON of the plan's digest, what it moves, the decision with its meaning and reason.
// Server and client build it each by itself, so that what is signed is what was shown.
struct ApprovalStatement {
  std::string plan_id;
  std::string plan_digest;
  std::string kind;
  std::string environment;
  std::vector<std::string> members;  // "hospital/readmission@v3 sha256:…"
  std::string expires_at;            // RFC 3339; empty: no end
  std::string decision;
  std::string meaning;
  std::string reason;
  std::string by;
};
std::string statement_text(const ApprovalStatement& statement);
// What a new signing key, and the one before it, sign: whose the key is.
std::string key_statement(const std::string& principal, const std::string& key_id);

}  // namespace mlops::model
