#include "daemon/domain/promotion.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/wire/views_json.h"
#include "daemon/domain/decisions.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
std::string denying_gates(const model::Plan& plan) {
  std::string gates;
  for (const auto& gate : plan.gates) {
    if (gate.verdict != model::Verdict::kPass) gates += (gates.empty() ? "" : ", ") + gate.id;
  }
  return gates;
}

std::string move_text(const model::Plan& plan) {
  auto what = plan.release_id.empty() ? plan.members.front().ref
                                      : fmt::format("release:{}@r{}", plan.release_name, plan.release_number);
  for (std::size_t i = 0; i < plan.restores.size(); ++i) what = (i == 0 ? "" : what + ", ") + plan.restores[i].ref;
  return fmt::format("{} → {}", what, plan.environment);
}

Failure stale_plan(const std::string& plan_id) {
  return fail(
      ErrorCode::kConflict, "stale_plan",
      fmt::format("the plan {} is stale: what it pins (versions, environment, policies, facts or what runs) has "
                  "changed",
                  plan_id),
      "make a new one, and see what changed: mlopsctl plan --again " + plan_id);
}

std::string release_ref(const meta::DeploymentRow& row, const std::vector<model::Version>& members) {
  if (row.kind == meta::kNamedRelease) return fmt::format("release:{}@r{}", row.name, row.release_number);
  return members.empty() ? std::string() : members.front().ref();
}

Result<model::Plan> plan_of_row(sql::Connection& connection, const meta::PlanRow& row) {
  MLOPS_ASSIGN(const auto body, parse_json(row.body));
  MLOPS_ASSIGN(auto plan, wire::plan_from_body(body));
  plan.id = row.id;
  plan.digest = row.digest;
  plan.kind = row.kind;
  plan.state = row.state;
  plan.environment = row.environment;
  plan.requested_by_id = row.requested_by_id;
  plan.requested_at_us = row.created_at_us;
  MLOPS_ASSIGN(const auto approvals, meta::approvals_of(connection, row.id));
  for (const auto& approval : approvals) {
    plan.approvals.push_back({approval.principal_name,
                              approval.decision,
                              approval.reason,
                              approval.created_at_us,
                              approval.meaning,
                              approval.key_id,
                              approval.statement,
                              approval.signature,
                              {}});
  }
  return plan;
}

Result<model::DeploymentView> deployment_view(sql::Connection& connection, const meta::DeploymentRow& row) {
  model::DeploymentView view;
  view.id = row.id;
  view.environment = row.environment;
  view.name = row.name;
  view.kind = row.kind;
  view.release = row.release_number;
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
  for (const auto& member : members) {
    view.members.push_back({member.ref(), member.digest.to_string(), {}, member.sensitivity});
  }
  if (row.kind == meta::kNamedRelease) {
    MLOPS_ASSIGN(const auto roles, meta::release_roles(connection, row.release_id));
    for (std::size_t i = 0; i < view.members.size() && i < roles.size(); ++i) view.members[i].role = roles[i];
  }
  view.action = row.action;
  view.by = row.created_by;
  view.reason = row.reason;
  view.plan_id = row.plan_id;
  view.started_at_us = row.valid_from_us;
  view.ended_at_us = row.valid_to_us;
  MLOPS_ASSIGN(const auto review, meta::find_review_of(connection, row.id));
  if (review) {
    MLOPS_ASSIGN(view.review, review_view(*review));
  }
  return view;
}

Status Promotion::store_plan(meta::WriteTx& tx, model::Plan& plan) {
  plan.id = tx.new_id();
  plan.requested_at_us = tx.now_us();
  tx.begin_entry("plan.create", move_text(plan), plan.reason);
  return meta::insert_plan(tx, {plan.id, plan.digest, plan.kind, plan.state, plan.environment,
                                canonical_dump(wire::plan_body(plan)), plan.requested_by_id, plan.requested_at_us});
}

Status Promotion::store_decision(meta::WriteTx& tx, const Draft& made, std::string occasion) {
  auto row = decision_row(made.plan, made.facts, std::move(occasion));
  row.id = tx.new_id();
  row.decided_at_us = tx.now_us();
  return meta::insert_decision(tx, row);
}

Result<model::Plan> Promotion::plan(const meta::Actor& actor, const PlanRequest& request) {
  std::shared_ptr<const Prepared> prepared;
  std::optional<Draft> unprepared;
  const auto digest = request_digest(request, "plan");
  const auto attempt = [&](meta::WriteTx& tx) -> Result<model::Plan> {
    MLOPS_ASSIGN(auto before, replayed(tx.sql(), actor, request.idempotency_key, digest));
    if (before) return std::move(before->plan);
    MLOPS_ASSIGN(auto wish, wish_of(tx.sql(), actor, request));
    wish.prepared = prepared;
    wish.request_digest = digest;
    MLOPS_ASSIGN(auto made, draft(tx.sql(), wish));
    if (!prepared && made.missing == Missing::kEvidence) {
      unprepared = std::move(made);
      return fail(ErrorCode::kUnavailable, "evidence_needed", "evidence is read outside of the writer");
    }
    MLOPS_TRY(store_plan(tx, made.plan));
    MLOPS_TRY(store_decision(tx, made, "plan"));
    MLOPS_TRY(remember_request(tx, wish, made.plan.id, {}));
    return std::move(made.plan);
  };
  // Most plans need nothing that is not in the database; only the others are tried twice.
  auto plan = store_.write<model::Plan>(actor, meta::Commit::kKeep, attempt);
  if (plan || !unprepared) return plan;
  MLOPS_ASSIGN(prepared, prepare(actor, *unprepared, meta::Commit::kKeep));
  return store_.write<model::Plan>(actor, meta::Commit::kKeep, attempt);
}

Result<model::Plan> Promotion::plan_with(const meta::Actor& actor, const PlanRequest& request,
                                         const policy::Policy& candidate) {
  std::shared_ptr<const Prepared> prepared;
  const auto attempt = [&](sql::Connection& connection) -> Result<Draft> {
    MLOPS_ASSIGN(auto wish, wish_of(connection, actor, request));
    wish.candidate = &candidate;
    wish.prepared = prepared;
    return draft(connection, wish);
  };
  MLOPS_ASSIGN(auto made, store_.read<Draft>(attempt));
  if (made.missing == Missing::kEvidence) {
    MLOPS_ASSIGN(prepared, prepare(actor, made, meta::Commit::kDryRun));
    MLOPS_ASSIGN(made, store_.read<Draft>(attempt));
  }
  return std::move(made.plan);
}

Result<model::Plan> Promotion::get_plan(const std::string& id) {
  return store_.read<model::Plan>([&](sql::Connection& connection) -> Result<model::Plan> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(connection, id));
    MLOPS_ASSIGN(auto shown, plan_of_row(connection, row));
    if (row.state != "open") return shown;
    if (shown.expires_at_us != 0 && shown.expires_at_us <= store_.now_us()) {
      shown.state = "expired";
      return shown;
    }
    // An open plan is shown as it would be decided now.
    MLOPS_ASSIGN(const auto wish, wish_of_plan(connection, row.id));
    MLOPS_ASSIGN(auto now, draft(connection, wish));
    if (now.plan.digest != row.digest) {
      shown.state = "stale";
      return shown;
    }
    shown.gates = std::move(now.plan.gates);
    shown.verdict = now.plan.verdict;
    shown.approvals = std::move(now.plan.approvals);
    shown.shadows = std::move(now.plan.shadows);
    return shown;
  });
}

Result<std::vector<model::Plan>> Promotion::list_plans(const meta::PlanFilter& filter) {
  using Plans = std::vector<model::Plan>;
  return store_.read<Plans>([&](sql::Connection& connection) -> Result<Plans> {
    MLOPS_ASSIGN(const auto rows, meta::list_plans(connection, filter));
    Plans plans;
    for (const auto& row : rows) {
      MLOPS_ASSIGN(auto shown, plan_of_row(connection, row));
      plans.push_back(std::move(shown));
    }
    return plans;
  });
}

Failure Promotion::refusal(const model::Plan& plan) const {
  const bool pending = plan.verdict == model::Verdict::kPending;
  const auto gates = denying_gates(plan);
  const auto detail = canonical_dump(wire::to_json(plan));
  if (pending && plan.id.empty()) {
    return fail(ErrorCode::kRefused, "approvals_pending", fmt::format("{} would wait for approval", move_text(plan)),
                "without --dry-run there is a plan that people can approve", detail);
  }
  if (pending) {
    return fail(ErrorCode::kRefused, "approvals_pending",
                fmt::format("{} waits for approval (plan {})", move_text(plan), plan.id),
                fmt::format("a second person runs: mlopsctl approve {}", plan.id), detail);
  }
  return fail(ErrorCode::kRefused, "gates_denied", fmt::format("{} was refused by: {}", move_text(plan), gates),
              "each gate says what would make it pass", detail);
}

// A refusal is part of the record too: who tried what, and which gates denied it.
Status Promotion::record_refusal(const meta::Actor& actor, const Wish& wish, Draft& made, const std::string& why) {
  return store_
      .write<bool>(actor, meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     if (wish.plan_id.empty()) MLOPS_TRY(store_plan(tx, made.plan));
                     tx.begin_entry("release.refused", move_text(made.plan), why);
                     MLOPS_TRY(store_decision(tx, made, "refuse"));
                     return true;
                   })
      .map([](bool) {});
}

void Promotion::mark_ended(const meta::Actor& actor, const std::string& plan_id, const std::string& state) {
  auto marked = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(tx.sql(), plan_id));
    if (row.state != "open") return true;
    MLOPS_ASSIGN(const auto shown, plan_of_row(tx.sql(), row));
    tx.begin_entry("plan." + state, move_text(shown));
    MLOPS_TRY(meta::set_plan_state(tx, row.id, state));
    return true;
  });
  if (!marked) log::warn("plan_end_not_marked", {{"slug", std::string_view(marked.error().slug)}});
}

// The target of a request that is sent again may have moved since: what it led to is looked up before anything else.
Result<model::PromotionView> Promotion::replay_or(const meta::Actor& actor, const std::string& key,
                                                  const std::string& digest,
                                                  const std::function<Result<model::PromotionView>()>& execute_it) {
  using Found = std::optional<model::PromotionView>;
  MLOPS_ASSIGN(auto before, store_.read<Found>(
                                [&](sql::Connection& connection) { return replayed(connection, actor, key, digest); }));
  if (before) return std::move(*before);
  return execute_it();
}

Result<model::PromotionView> Promotion::promote(const meta::Actor& actor, const PlanRequest& request,
                                                meta::Commit commit) {
  const auto digest = request_digest(request, "promote");
  return replay_or(actor, request.idempotency_key, digest, [&]() -> Result<model::PromotionView> {
    MLOPS_ASSIGN(auto wish,
                 store_.read<Wish>([&](sql::Connection& connection) { return wish_of(connection, actor, request); }));
    wish.request_digest = digest;
    return run(actor, wish, commit);
  });
}

Result<model::PromotionView> Promotion::promote_plan(const meta::Actor& actor, const std::string& plan_id,
                                                     meta::Commit commit) {
  auto found = store_.read<Wish>([&](sql::Connection& connection) { return wish_of_plan(connection, plan_id); });
  if (!found) {
    const bool has_expired = found.error().slug == "plan_expired" && commit == meta::Commit::kKeep;
    if (has_expired) mark_ended(actor, plan_id, "expired");
    return fail(std::move(found.error()));
  }
  auto wish = std::move(*found);
  wish.executed_by_id = actor.principal.id;
  if (wish.is_break_glass) MLOPS_TRY(check_break_glass(actor.principal, wish.reason));
  return run(actor, wish, commit);
}

Result<model::PromotionView> Promotion::rollback(const meta::Actor& actor, const RollbackRequest& request,
                                                 meta::Commit commit) {
  const auto digest = request_digest(request);
  return replay_or(actor, request.idempotency_key, digest, [&]() -> Result<model::PromotionView> {
    MLOPS_ASSIGN(auto wish, store_.read<Wish>([&](sql::Connection& connection) {
      return wish_of_rollback(connection, actor, request);
    }));
    wish.request_digest = digest;
    return run(actor, wish, commit);
  });
}

Result<std::vector<model::DeploymentView>> Promotion::deployments(const meta::DeploymentFilter& filter) {
  using Views = std::vector<model::DeploymentView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(const auto rows, meta::list_deployments(connection, filter));
    Views views;
    for (const auto& row : rows) {
      MLOPS_ASSIGN(auto view, deployment_view(connection, row));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<model::DeploymentView> Promotion::correct(const meta::Actor& actor, const meta::Correction& correction,
                                                 meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(correction.reason, "reason"));
  if (trim(correction.reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "a correction needs a reason", "give --reason");
  }
  return store_.write<model::DeploymentView>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::DeploymentView> {
    MLOPS_ASSIGN(const auto row, meta::correct_deployment(tx, correction));
    return deployment_view(tx.sql(), row);
  });
}

}  // namespace mlops::domain
