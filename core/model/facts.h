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
#include "core/model/evidence.h"
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
  std::string ref;     // the version that is waiting: the member or an ancestor
  std::string state;   // pending, kept (by a hold), undecided, retrained
  std::string detail;  // of retrained: what replaces it
};

// A time without gap in which an environment ran the version.
struct SoakFact {
  std::string environment;
  TimestampUs since_us = 0;
  TimestampUs until_us = 0;  // 0: it runs still
};

// Whose a version is: by its own label `tenant`, or by that of something it was made from.
struct TenantFact {
  std::string ref;
  std::string tenant;
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
  std::vector<TaintStep> taint_path;       // to the source of the highest label; empty when the label is none
  std::vector<std::string> missing_blobs;  // digests the store lacks
  std::vector<std::string> ran_in;         // environments this version, or what it was masked from, runs or ran in
  std::vector<ErasureFact> open_erasures;
  std::string role;                 // in a named release: model, preprocessing, thresholds; empty otherwise
  std::vector<SoakFact> soaked;     // newest time in each of `after`; only where the environment asks for soak time
  std::vector<TenantFact> tenants;  // of the version and of everything it was made from
  std::map<std::string, std::string> labels;  // of the version; of a planned masking: of its source
  std::vector<std::string> keys;              // "research.2": versions of masking keys that wrote it, or would; sorted
  std::optional<ProvenanceFact> provenance;   // of a member with a recorded commit, when repositories are configured
  MemberEvidence evidence;
};

// One that counts: not the requester's, not an author's, not void.
struct ApprovalFact {
  std::string principal;
  std::vector<std::string> roles;
  bool is_human = true;
  std::string meaning;
  std::string key_id;     // that signed it; empty: not signed
  TimestampUs at_us = 0;  // 0: of before it was kept
};

// A break-glass promotion of the environment that nobody has reviewed yet.
struct OpenReviewFact {
  std::string deployment_id;
  std::string by;
  TimestampUs due_at_us = 0;
};

// The environment was rolled back from this very release.
struct RejectedFact {
  std::string release;  // "hospital/readmission release 3"
  std::string by;
  std::string reason;
  TimestampUs at_us = 0;
};

// Another release that runs in the environment and holds an artifact of this one.
struct OverlapFact {
  std::string deployment_id;
  std::string release;               // "hospital/bundle release 2"
  std::vector<std::string> missing;  // its artifacts that this release lacks; empty: this one takes its place
};

// One of several releases that come back together: its members follow those of the one before it.
struct ReleasePart {
  std::string ref;
  std::size_t members = 0;
  std::vector<std::string> policies;  // names of those it brings along
};

struct PromotionFacts {
  std::string environment_digest;
  Environment environment;
  std::string requested_by;
  std::string reason;
  bool is_rollback = false;
  std::vector<MemberFacts> members;               // the first is the release's namesake
  std::map<std::string, double> current_metrics;  // of the model now live under the same name; empty when none
  std::string current_ref;                        // empty when nothing runs
  std::vector<ApprovalFact> approvals;            // those that count
  TimestampUs decided_at_us = 0;                  // 0: not known
  std::optional<CalendarFacts> calendar;          // where the environment has windows or freezes
  bool is_break_glass = false;                    // procedure is passed over, and must be reviewed
  bool accepts_rejected = false;                  // says so that it promotes again what was rolled back from
  std::vector<std::string> overrides;             // gates a rollback passes over
  std::vector<OpenReviewFact> open_reviews;
  std::optional<RejectedFact> rejected;
  std::vector<OverlapFact> overlaps;
  std::vector<ReleasePart> parts;  // of a rollback to several; empty otherwise
  std::string environment_source;  // "NAME.git@COMMIT:PATH"; empty: declared by hand
  std::vector<ExternalFact> external;
};

enum class Verdict { kPass, kPending, kFail };  // pending: only approvals are missing
std::string_view to_word(Verdict verdict);      // "pass", "pending", "fail"
std::optional<Verdict> verdict_from_word(std::string_view word);

struct GateResult {
  std::string id;    // "clearance", "auc-floor"
  std::string kind;  // "clearance", "metric", "lineage", "approvals", "order", "integrity", …
  Verdict verdict = Verdict::kFail;
  std::string rule;           // "model-gates.yaml:12" or "environment prod" or "built-in"
  std::string reason;         // one sentence: why this verdict
  std::string would_pass_if;  // one sentence; empty when it passes
  Json facts;                 // what was looked at
};

// What a policy in shadow would have said; it decided nothing.
struct ShadowResult {
  std::string policy;  // the one in shadow
  std::string digest;
  std::string beside;                // the one it was evaluated beside
  Verdict verdict = Verdict::kFail;  // of the whole decision, had it been in that one's place
  bool flips = false;                // the decision was another
  std::vector<GateResult> gates;     // its own
  std::string problem;               // slug: why it could not be evaluated; empty: it was
};
Json to_json(const ShadowResult& result);
// Errors: kCorrupt "bad_plan".
Result<ShadowResult> shadow_result_from_json(const Json& json);

Json to_json(const GateResult& result);
Result<GateResult> gate_result_from_json(const Json& json);

}  // namespace mlops::model
