// Promotion as a controlled change: plan, approve, execute, roll back, and what ran where when.
//
// plan() evaluates every gate against facts pinned by digest. promote() decides again inside the transaction that moves
// the release: what was approved is what runs, or nothing does. A dataset above the environment's clearance is masked
// on the way, and the masked version is what moves.
// State of a plan:  open → executed | rejected | stale
// Errors: kRefused "gates_denied", "approvals_pending" with the plan as `detail`; kConflict "stale_plan", "plan_closed";
// kDenied "own_plan"; kNotFound; those of Compliance::mask. Thread-safety: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/views.h"
#include "daemon/domain/compliance.h"
#include "storage/cas/content_store.h"
#include "storage/meta/releases.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct PlanRequest {
  std::vector<std::string> refs;  // the first is the release's namesake
  std::string environment;
  std::string reason;
};

struct RollbackRequest {
  std::string name;  // [kind:]name
  std::string environment;
  std::int64_t to_number = 0;  // version number of the namesake; 0: the release before
  std::string reason;
};

// A plan in the making, with the facts it was decided on.
struct Draft {
  model::Plan plan;
  model::PromotionFacts facts;
  std::vector<PolicyRevision> policies;
  std::vector<PolicyRevision> shadows;        // as plan.shadow_pins
  std::vector<model::Version> members;        // of a planned masking: the source
  std::optional<meta::DeploymentRow> running;  // under the same name
};

class Promotion {
 public:
  Promotion(meta::Store& store, cas::ContentStore& content, Compliance& compliance)
      : store_(store), content_(content), compliance_(compliance) {}

  Result<model::Plan> plan(const meta::Actor& actor, const PlanRequest& request);
  // What plan() would say if `candidate` were in force: in the place of its namesake, or added. Nothing is written.
  Result<model::Plan> plan_with(const meta::Actor& actor, const PlanRequest& request, const policy::Policy& candidate);
  Result<model::Plan> get_plan(const std::string& id);
  Result<std::vector<model::Plan>> list_plans(const meta::PlanFilter& filter);
  enum class Decision { kApprove, kReject };
  Result<model::Plan> decide(const meta::Actor& actor, const std::string& plan_id, Decision decision,
                             const std::string& reason, meta::Commit commit);

  Result<model::PromotionView> promote(const meta::Actor& actor, const PlanRequest& request, meta::Commit commit);
  Result<model::PromotionView> promote_plan(const meta::Actor& actor, const std::string& plan_id, meta::Commit commit);
  Result<model::PromotionView> rollback(const meta::Actor& actor, const RollbackRequest& request, meta::Commit commit);

  Result<std::vector<model::DeploymentView>> deployments(const meta::DeploymentFilter& filter);

 private:
  // What is to be drafted: versions by id, so that a stored plan and a new one take the same way.
  struct Wish {
    std::string kind = "promote";
    std::vector<std::string> version_ids;
    std::string environment;
    std::string reason;
    std::string requested_by;
    std::string requested_by_id;
    TimestampUs requested_at_us = 0;   // 0: now
    std::string plan_id;               // an open plan whose approvals count
    std::string executed_by_id;        // whose own approval does not count either; empty: the requester's alone
    std::string plan_digest;           // the digest that plan was approved under
    std::string earlier_plan_id;       // rollback: the plan under which the release ran before
    const policy::Policy* candidate = nullptr;  // a policy that is tried out
  };

  Result<Draft> draft(sql::Connection& connection, const Wish& wish);
  Result<model::MemberFacts> member_facts(sql::Connection& connection, const model::Version& version);
  Status plan_masking(sql::Connection& connection, Draft& draft);
  Status add_shadows(sql::Connection& connection, Draft& draft);
  Status add_running(sql::Connection& connection, Draft& draft);
  Status add_approvals(sql::Connection& connection, const Wish& wish, Draft& draft);
  Result<std::vector<std::string>> missing_blobs(sql::Connection& connection, const model::Version& version);

  Result<Wish> wish_of(sql::Connection& connection, const meta::Actor& actor, const PlanRequest& request);
  Result<Wish> wish_of_plan(sql::Connection& connection, const std::string& plan_id);
  Result<Wish> wish_of_rollback(sql::Connection& connection, const meta::Actor& actor, const RollbackRequest& request);

  Result<model::PromotionView> run(const meta::Actor& actor, const Wish& wish, meta::Commit commit);
  Result<model::PromotionView> execute(meta::WriteTx& tx, const Wish& wish, const std::optional<MaskedFiles>& masked);
  Result<std::optional<MaskedFiles>> mask_if_planned(const Draft& draft);
  Json masked_in_shadow(const Draft& draft, const PolicyRevision& policy, const std::vector<model::FileEntry>& files,
                        const std::string& context);
  Result<model::MaskingView> register_masked(meta::WriteTx& tx, Draft& draft, const MaskedFiles& masked);
  Status store_plan(meta::WriteTx& tx, model::Plan& plan);
  Status store_decision(meta::WriteTx& tx, const Draft& draft, std::string occasion);
  Status record_refusal(const meta::Actor& actor, const Wish& wish, Draft& draft, const std::string& why);
  Failure refusal(const model::Plan& plan) const;
  void mark_stale(const meta::Actor& actor, const std::string& plan_id);

  meta::Store& store_;
  cas::ContentStore& content_;
  Compliance& compliance_;
};

// Shared by status, history and promotion answers.
Result<model::DeploymentView> deployment_view(sql::Connection& connection, const meta::DeploymentRow& row);

}  // namespace mlops::domain
