// Promotion as a controlled change: plan, approve, execute, roll back, and what ran where when.
//
// plan() evaluates every gate against facts pinned by digest. promote() decides again inside the transaction that moves
// the release: what was approved is what runs, or nothing does. A dataset above the environment's clearance is masked
// on the way, and the masked version is what moves.
// A release is one version, several, or a named bundle of them; it moves and goes back as one. Break-glass passes over
// procedure and opens a review, which holds later promotions up; what an environment was rolled back from is not
// promoted into it again unless the request says so. A release that took the places of others (a bundle those of single
// versions) is rolled back to all of them at once.
//
// State of a plan:  open → executed | rejected | stale | expired
// Errors: kRefused "gates_denied", "approvals_pending" with the plan as `detail`; kConflict "stale_plan",
// "plan_expired", "plan_closed", "idempotency_key_reused"; kDenied "own_plan", "author", "break_glass_denied"; kInvalid
// "signature_needed", "bad_signature", "unknown_gate"; kNotFound; those of Compliance::mask. Thread-safety:
// thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model/views.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/external_gates.h"
#include "daemon/domain/promotion_facts.h"
#include "storage/cas/content_store.h"
#include "storage/meta/change_control.h"
#include "storage/meta/releases.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct PlanRequest {
  std::vector<std::string> refs;  // the first is the release's namesake; or one "release:NAME@r3" alone
  std::string environment;
  std::string reason;
  bool is_break_glass = false;
  bool accepts_rejected = false;  // promote again what the environment was rolled back from
  std::string idempotency_key;    // empty: none
};

struct RollbackRequest {
  std::string name;  // [kind:]name, or release:NAME
  std::string environment;
  std::int64_t to_number = 0;  // version number of the namesake, or of the named release; 0: the release before
  std::string reason;
  std::vector<std::string> overrides;  // ids of gates to pass over
  std::string idempotency_key;
};

// What a person says about a plan, signed or not.
struct ApprovalRequest {
  std::string plan_id;
  enum class Decision { kApprove, kReject, kWithdraw } decision = Decision::kApprove;
  std::string reason;
  std::string meaning;
  std::string key_id;     // empty: not signed
  std::string signature;  // base64, over model::statement_text
};

// A release with a name of its own, to be made.
struct NewRelease {
  std::string name;
  std::vector<std::pair<std::string, std::string>> members;  // role, reference
  std::vector<std::string> policies;                         // names; at their present revision
};

struct ReviewRequest {
  std::string deployment_id;
  std::string outcome;  // justified, unjustified
  std::string note;
};

// A plan in the making, with the facts it was decided on.
struct Draft {
  model::Plan plan;
  model::PromotionFacts facts;
  std::vector<PolicyRevision> policies;
  std::vector<PolicyRevision> shadows;         // as plan.shadow_pins
  std::vector<model::Version> members;         // of a planned masking: the source
  std::optional<meta::DeploymentRow> running;  // under the same name
  std::set<std::string> authors;               // who registered what is moved, or what that was masked from
  std::string rollout_by;                      // who started the rollout the plan is a step of; empty: of none
  Missing missing = Missing::kNothing;         // evidence that preparing may give
};

class Promotion {
 public:
  Promotion(meta::Store& store, cas::ContentStore& content, Compliance& compliance)
      : store_(store), content_(content), compliance_(compliance) {}
  // Where evidence comes from that is not in the database. REQUIRES: before the first request; both outlive this.
  void use(const Measurer& measurer, const ExternalGates& external) {
    measurer_ = &measurer;
    external_ = &external;
  }

  Result<model::Plan> plan(const meta::Actor& actor, const PlanRequest& request);
  // What plan() would say if `candidate` were in force: in the place of its namesake, or added. Nothing is written.
  Result<model::Plan> plan_with(const meta::Actor& actor, const PlanRequest& request, const policy::Policy& candidate);
  Result<model::Plan> get_plan(const std::string& id);
  Result<std::vector<model::Plan>> list_plans(const meta::PlanFilter& filter);
  // Errors: "own_plan", "author", "not_a_person", "signature_needed", "bad_signature", "nothing_to_withdraw".
  Result<model::Plan> decide(const meta::Actor& actor, const ApprovalRequest& request, meta::Commit commit);

  struct MadeRelease {
    model::ReleaseView view;
    bool is_new = false;
  };
  Result<MadeRelease> create_release(const meta::Actor& actor, const NewRelease& wanted, meta::Commit commit);
  Result<std::vector<model::ReleaseView>> list_releases(const meta::ReleaseFilter& filter);
  Result<model::ReleaseView> show_release(const std::string& name, std::int64_t number);

  Result<std::vector<model::ReviewView>> list_reviews(const meta::ReviewFilter& filter);
  // By another person than the one who broke the glass. Errors: "own_review", "not_a_person", "review_done".
  Result<model::ReviewView> close_review(const meta::Actor& actor, const ReviewRequest& request, meta::Commit commit);

  Result<model::PromotionView> promote(const meta::Actor& actor, const PlanRequest& request, meta::Commit commit);
  Result<model::PromotionView> promote_plan(const meta::Actor& actor, const std::string& plan_id, meta::Commit commit);
  Result<model::PromotionView> rollback(const meta::Actor& actor, const RollbackRequest& request, meta::Commit commit);

  // Measures what the environment's gates ask about such a release, however long it takes, and keeps it. A list of
  // {"kind", "of", "result" | "failed"}.
  Result<Json> profile(const meta::Actor& actor, const PlanRequest& request);

  Result<std::vector<model::DeploymentView>> deployments(const meta::DeploymentFilter& filter);
  // Errors: those of meta::correct_deployment, kInvalid "reason_needed".
  Result<model::DeploymentView> correct(const meta::Actor& actor, const meta::Correction& correction,
                                        meta::Commit commit);

 private:
  // What is to be drafted: versions by id, so that a stored plan and a new one take the same way.
  struct Wish {
    std::string kind = "promote";
    std::vector<std::string> version_ids;
    std::string release_id;  // of a named release
    bool is_break_glass = false;
    bool accepts_rejected = false;
    std::vector<std::string> overrides;
    std::string idempotency_key;
    std::string request_digest;     // of what came with the key
    TimestampUs expires_at_us = 0;  // of a stored plan
    std::string environment;
    std::string reason;
    std::string requested_by;
    std::string requested_by_id;
    TimestampUs requested_at_us = 0;  // 0: now
    std::string plan_id;              // an open plan whose approvals count
    std::string executed_by_id;       // whose own approval does not count either; empty: the requester's alone
    std::string plan_digest;          // the digest that plan was approved under
    std::vector<std::string> earlier_plan_ids;     // rollback: the plans under which what comes back ran before
    std::vector<model::RestoredRelease> restores;  // rollback to several …
    std::string leaves_id;                         // … from the deployment that took their places
    const policy::Policy* candidate = nullptr;     // a policy that is tried out
    std::shared_ptr<const Prepared> prepared;      // evidence from outside of the database

    // Of releases that are there already; empty: what moves becomes one.
    std::vector<std::string> release_ids() const;
  };

  Result<Draft> draft(sql::Connection& connection, const Wish& wish);
  // promotion_evidence.cc
  Status add_evidence(sql::Connection& connection, const Wish& wish, Draft& draft);
  // Reads data and asks servers, outside of the writer. kKeep: what was measured is kept for later plans.
  Result<std::shared_ptr<const Prepared>> prepare(const meta::Actor& actor, const Draft& draft, meta::Commit commit);
  Result<Measurements> measure(const meta::Actor& actor, const EvidenceAsks& asks, Reach reach, meta::Commit commit);
  Result<model::MemberFacts> member_facts(sql::Connection& connection, const model::Version& version);
  Status plan_masking(sql::Connection& connection, Draft& draft);
  Status add_shadows(sql::Connection& connection, Draft& draft);
  Status add_running(sql::Connection& connection, const Wish& wish, Draft& draft);
  Status add_approvals(sql::Connection& connection, const Wish& wish, Draft& draft);
  Status add_release_policies(sql::Connection& connection, const Wish& wish, Draft& draft);
  Status add_release(sql::Connection& connection, const Wish& wish, Draft& draft);
  Status add_control_facts(sql::Connection& connection, const Wish& wish, Draft& draft);
  Status add_overlaps(sql::Connection& connection, const Wish& wish, Draft& draft);
  Result<model::OverlapFact> overlap_with(sql::Connection& connection, const meta::DeploymentRow& row,
                                          const std::vector<std::string>& artifacts);
  Result<std::string> why_void(sql::Connection& connection, const Wish& wish, const Draft& draft,
                               const meta::ApprovalRow& row);
  Result<std::vector<std::string>> missing_blobs(sql::Connection& connection, const model::Version& version);

  Result<Wish> wish_of(sql::Connection& connection, const meta::Actor& actor, const PlanRequest& request);
  Result<Wish> wish_of_release(sql::Connection& connection, const std::string& ref, Wish wish);
  Result<Wish> wish_of_plan(sql::Connection& connection, const std::string& plan_id);
  Result<Wish> wish_of_rollback(sql::Connection& connection, const meta::Actor& actor, const RollbackRequest& request);
  Status aim(sql::Connection& connection, const RollbackRequest& request,
             const std::vector<meta::DeploymentRow>& newest_first, Wish& wish);
  Status aim_at_several(sql::Connection& connection, const std::vector<meta::DeploymentRow>& targets,
                        const meta::DeploymentRow& leaves, Wish& wish);

  Result<model::PromotionView> run(const meta::Actor& actor, const Wish& wish, meta::Commit commit);
  Result<model::PromotionView> run_prepared(const meta::Actor& actor, Wish wish, meta::Commit commit);
  Result<model::PromotionView> execute(meta::WriteTx& tx, const Wish& wish, const std::optional<MaskedFiles>& masked);
  Result<std::optional<MaskedFiles>> mask_if_planned(const Draft& draft);
  Json masked_in_shadow(const Draft& draft, const PolicyRevision& policy, const std::vector<model::FileEntry>& files,
                        const std::string& context);
  Result<model::MaskingView> register_masked(meta::WriteTx& tx, Draft& draft, const MaskedFiles& masked);
  Result<std::vector<model::DeploymentView>> deploy(meta::WriteTx& tx, Draft& draft);
  Result<std::vector<meta::ReleaseRow>> releases_to_move(meta::WriteTx& tx, const Draft& draft);
  Result<meta::DeploymentRow> begin_deployment(meta::WriteTx& tx, const Draft& draft, const meta::ReleaseRow& release);
  Status record_break_glass(meta::WriteTx& tx, const Draft& draft, const std::string& deployment_id);
  Status record_rejection(meta::WriteTx& tx, const Draft& draft, const std::vector<meta::ReleaseRow>& releases);
  Result<meta::ApprovalRow> signed_approval(sql::Connection& connection, const model::Principal& who,
                                            const ApprovalRequest& request, const model::Plan& plan);
  // What a request with this key has led to already; nullopt: nothing.
  Result<std::optional<model::PromotionView>> replayed(sql::Connection& connection, const meta::Actor& actor,
                                                       const std::string& key, const std::string& request_digest);
  Result<model::PromotionView> replay_or(const meta::Actor& actor, const std::string& key, const std::string& digest,
                                         const std::function<Result<model::PromotionView>()>& execute_it);
  Status remember_request(meta::WriteTx& tx, const Wish& wish, const std::string& plan_id,
                          const std::string& deployment_id);
  Status store_plan(meta::WriteTx& tx, model::Plan& plan);
  Status store_decision(meta::WriteTx& tx, const Draft& draft, std::string occasion);
  Status record_refusal(const meta::Actor& actor, const Wish& wish, Draft& draft, const std::string& why);
  Failure refusal(const model::Plan& plan) const;
  void mark_ended(const meta::Actor& actor, const std::string& plan_id, const std::string& state);

  meta::Store& store_;
  cas::ContentStore& content_;
  Compliance& compliance_;
  const Measurer* measurer_ = nullptr;
  const ExternalGates* external_ = nullptr;
};

// What a key of idempotency stands for. `operation`: plan, promote.
std::string request_digest(const PlanRequest& request, std::string_view operation);
std::string request_digest(const RollbackRequest& request);
// A person on call, with a reason. Errors: "break_glass_denied", "not_a_person", "reason_needed".
Status check_break_glass(const model::Principal& who, const std::string& reason);
// A stored plan with its approvals. Shared by the parts of this room.
Result<model::Plan> plan_of_row(sql::Connection& connection, const meta::PlanRow& row);
// The ids of the gates that do not pass, "auc-floor, clearance".
std::string denying_gates(const model::Plan& plan);
// "hospital/readmission@v3 → prod", the target of audit entries about a move.
std::string move_text(const model::Plan& plan);
Failure stale_plan(const std::string& plan_id);
// How a plan and a status name what moves: "hospital/readmission@v3", or "release:hospital/bundle@r2".
std::string release_ref(const meta::DeploymentRow& row, const std::vector<model::Version>& members);

// What ran under other names and ended when `deployment` began, because it took their places.
Result<std::vector<meta::DeploymentRow>> replaced_by(sql::Connection& connection,
                                                     const meta::DeploymentRow& deployment);
// The same, behind what its plan found running: as a rule what ran before under its own name.
Result<std::vector<meta::DeploymentRow>> ended_by(sql::Connection& connection, const meta::DeploymentRow& deployment);

Result<model::ReviewView> review_view(const meta::ReviewRow& row);
// "sha256:…" of what a plan pins of its facts.
std::string pinned_facts_digest(const model::PromotionFacts& facts);

// Shared by status, history and promotion answers.
Result<model::DeploymentView> deployment_view(sql::Connection& connection, const meta::DeploymentRow& row);

}  // namespace mlops::domain
