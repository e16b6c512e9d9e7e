// The facts gates are decided on, and their verdicts: plain values, so that the same facts always give the same
// decision, on the server, in a test and in a replay years later.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/environment.h"
#include "core/model/kind.h"
#include "core/model/version.h"

namespace mlops::model {

// One step on the lineage path that taints a member, from the member up to the source.
struct TaintStep {
  std::string ref;
  Sensitivity sensitivity = Sensitivity::kNone;
  std::string role;  // how the step before used it ("train"); empty on the first step
};

// An erasure that the member, or something it was made from, waits for.
struct ErasureFact {
  std::string erasure_id;
  std::string ref;    // the version that is waiting: the member or an ancestor
  std::string state;  // pending, kept (by a hold), undecided, retrained
  std::string detail; // of retrained: what replaces it
};

// Where the recorded commit of a member stands in the repositories that the server is configured with.
struct ProvenanceFact {
  std::vector<std::string> repositories;  // whose URL is the recorded remote; empty: none
  std::string state;                      // found, missing, unreachable, unknown: nobody asked yet
  std::vector<std::string> branches;      // that contain the commit
  TimestampUs seen_at_us = 0;             // when the repository was asked; 0: never
};

struct MemberFacts {
  Version version;
  std::vector<VersionInput> inputs;
  std::vector<TaintStep> taint_path;      // to the source of the highest label; empty when the label is none
  std::vector<std::string> missing_blobs; // digests the store lacks
  std::vector<std::string> ran_in;        // environments this version, or what it was masked from, runs or ran in
  std::vector<ErasureFact> open_erasures;
  std::optional<ProvenanceFact> provenance;  // of a member with a recorded commit, when repositories are configured
};

struct ApprovalFact {
  std::string principal;
  std::vector<std::string> roles;
  bool is_human = true;
};

struct PromotionFacts {
  std::string environment_digest;
  Environment environment;
  std::string requested_by;
  std::string reason;
  bool is_rollback = false;
  std::vector<MemberFacts> members;                 // the first is the release's namesake
  std::map<std::string, double> current_metrics;    // of the model now live under the same name; empty when none
  std::string current_ref;                          // empty when nothing runs
  std::vector<ApprovalFact> approvals;              // never the requester's
  TimestampUs decided_at_us = 0;                    // 0: not known
  std::string environment_source;                   // "NAME.git@COMMIT:PATH"; empty: declared by hand
};

enum class Verdict { kPass, kPending, kFail };  // pending: only approvals are missing
std::string_view to_word(Verdict verdict);      // "pass", "pending", "fail"
std::optional<Verdict> verdict_from_word(std::string_view word);

struct GateResult {
  std::string id;             // "clearance", "auc-floor"
  std::string kind;           // "clearance", "metric", "lineage", "approvals", "order", "integrity", …
  Verdict verdict = Verdict::kFail;
  std::string rule;           // "model-gates.yaml:12" or "environment prod" or "built-in"
  std::string reason;         // one sentence: why this verdict
  std::string would_pass_if;  // one sentence; empty when it passes
  Json facts;                 // what was looked at
};

Json to_json(const GateResult& result);
Result<GateResult> gate_result_from_json(const Json& json);

}  // namespace mlops::model
