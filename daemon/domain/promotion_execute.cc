// Carrying a move out: decided once more in the transaction that makes it, the intervals moved, what must be
// remembered.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/wire/views_json.h"
#include "daemon/domain/gitops.h"
#include "daemon/domain/promotion.h"

namespace mlops::domain {
namespace {

bool runs_already(sql::Connection& connection, const Draft& draft) {
  if (!draft.running || draft.plan.masking || !draft.plan.restores.empty()) return false;
  if (!draft.plan.release_id.empty()) return draft.running->release_id == draft.plan.release_id;
  const auto members = meta::release_members(connection, draft.running->release_id);
  if (!members || members->size() != draft.members.size()) return false;
  for (std::size_t i = 0; i < members->size(); ++i) {
    if ((*members)[i].id != draft.members[i].id) return false;
  }
  return true;
}

// A rollback that names a gate there is none of would pass over nothing, unnoticed.
Status check_overrides(const model::Plan& plan) {
  for (const auto& id : plan.overrides) {
    const bool known =
        std::any_of(plan.gates.begin(), plan.gates.end(), [&](const auto& gate) { return gate.id == id; });
    if (known) continue;
    return fail(ErrorCode::kInvalid, "unknown_gate", fmt::format("there is no gate \"{}\" here", printable(id)),
                "`--dry-run` shows the gates and their ids");
  }
  return {};
}

}  // namespace

Result<model::PromotionView> Promotion::execute(meta::WriteTx& tx, const Wish& wish,
                                                const std::optional<MaskedFiles>& masked) {
  MLOPS_ASSIGN(auto before, replayed(tx.sql(), tx.actor(), wish.idempotency_key, wish.request_digest));
  if (before) return std::move(*before);
  // While a dataset was masked the plan may have been rejected, or have come to its end.
  if (!wish.plan_id.empty()) {
    MLOPS_ASSIGN([[maybe_unused]] const auto still_open, wish_of_plan(tx.sql(), wish.plan_id));
  }
  MLOPS_ASSIGN(auto made, draft(tx.sql(), wish));
  if (!wish.plan_digest.empty() && made.plan.digest != wish.plan_digest) return stale_plan(wish.plan_id);
  model::PromotionView view;
  view.replaced_ref = made.plan.running_ref;
  if (wish.plan_id.empty() && runs_already(tx.sql(), made)) {
    MLOPS_TRY(remember_request(tx, wish, made.running->plan_id, made.running->id));
    MLOPS_ASSIGN(view.deployment, deployment_view(tx.sql(), *made.running));
    view.plan = std::move(made.plan);
    view.unchanged = true;
    return view;
  }
  if (!wish.prepared && made.missing == Missing::kEvidence) {
    return fail(ErrorCode::kUnavailable, "evidence_needed", "evidence is read outside of the writer");
  }
  MLOPS_TRY(check_overrides(made.plan));
  if (made.plan.verdict != model::Verdict::kPass) return refusal(made.plan);
  if (wish.plan_id.empty()) MLOPS_TRY(store_plan(tx, made.plan));
  if (made.plan.masking) {
    const auto& planned = *made.plan.masking;
    const bool same = masked && masked->policy_revision_id == planned.policy.revision_id &&
                      masked->source_version_id == planned.source_version_id;
    if (!same) {
      return fail(ErrorCode::kConflict, "masking_changed",
                  "the masking policy, or whether masking is needed, changed while the dataset was masked",
                  "try again");
    }
    MLOPS_ASSIGN(view.masking, register_masked(tx, made, *masked));
  }
  for (const auto& overlap : made.facts.overlaps) view.took_places.push_back(overlap.release);
  MLOPS_ASSIGN(view.restored, deploy(tx, made));
  view.deployment = view.restored.front();
  if (view.restored.size() == 1) view.restored.clear();
  MLOPS_TRY(remember_request(tx, wish, made.plan.id, view.deployment->id));
  view.plan = std::move(made.plan);
  return view;
}

// What moves: one release, or those that a rollback brings back.
Result<std::vector<meta::ReleaseRow>> Promotion::releases_to_move(meta::WriteTx& tx, const Draft& made) {
  std::vector<meta::ReleaseRow> releases;
  for (const auto& restored : made.plan.restores) {
    MLOPS_ASSIGN(auto release, meta::get_release(tx.sql(), restored.release_id));
    releases.push_back(std::move(release));
  }
  if (!releases.empty()) return releases;
  if (made.plan.release_id.empty()) {
    MLOPS_ASSIGN(auto release, meta::upsert_release(tx, made.members));
    releases.push_back(std::move(release));
  } else {
    MLOPS_ASSIGN(auto release, meta::get_release(tx.sql(), made.plan.release_id));
    releases.push_back(std::move(release));
  }
  return releases;
}

Result<meta::DeploymentRow> Promotion::begin_deployment(meta::WriteTx& tx, const Draft& made,
                                                        const meta::ReleaseRow& release) {
  meta::DeploymentRow row;
  row.id = tx.new_id();
  row.environment = made.plan.environment;
  row.kind = release.kind;
  row.name = release.name;
  row.release_id = release.id;
  row.release_number = release.number;
  row.plan_id = made.plan.id;
  row.action = made.plan.kind;
  row.reason = made.plan.reason;
  row.created_by = tx.actor().principal.name;
  row.valid_from_us = tx.now_us();
  MLOPS_TRY(meta::insert_deployment(tx, row));
  MLOPS_TRY(enqueue_gitops(tx, row, made.facts.environment));
  return row;
}

// Moves what is planned: the intervals, and what must be remembered about the move. Of several releases each has an
// entry, and with it an event, of its own.
Result<std::vector<model::DeploymentView>> Promotion::deploy(meta::WriteTx& tx, Draft& made) {
  const auto action = made.plan.is_break_glass       ? "release.break_glass"
                      : made.plan.kind == "rollback" ? "release.rollback"
                                                     : "release.promote";
  const auto policy_digest = made.plan.policies.empty() ? std::string() : made.plan.policies.front().digest;
  const auto begin_entry = [&](std::size_t i) {
    const auto& restores = made.plan.restores;
    const auto target =
        restores.empty() ? move_text(made.plan) : fmt::format("{} → {}", restores[i].ref, made.plan.environment);
    tx.begin_entry(action, target, made.plan.reason, policy_digest);
  };
  begin_entry(0);
  MLOPS_ASSIGN(const auto releases, releases_to_move(tx, made));
  if (made.running) MLOPS_TRY(meta::close_deployment(tx, made.running->id));
  for (const auto& overlap : made.facts.overlaps) MLOPS_TRY(meta::close_deployment(tx, overlap.deployment_id));
  MLOPS_ASSIGN(const auto first, begin_deployment(tx, made, releases.front()));
  std::vector<meta::DeploymentRow> rows{first};
  MLOPS_TRY(meta::set_plan_executed(tx, made.plan.id, canonical_dump(wire::plan_body(made.plan))));
  MLOPS_TRY(store_decision(tx, made, made.plan.kind));
  made.plan.state = "executed";
  MLOPS_TRY(record_rejection(tx, made, releases));
  if (made.plan.is_break_glass) MLOPS_TRY(record_break_glass(tx, made, first.id));
  for (std::size_t i = 1; i < releases.size(); ++i) {
    begin_entry(i);
    MLOPS_ASSIGN(auto row, begin_deployment(tx, made, releases[i]));
    rows.push_back(std::move(row));
  }
  std::vector<model::DeploymentView> views;
  for (const auto& row : rows) {
    MLOPS_ASSIGN(auto view, deployment_view(tx.sql(), row));
    views.push_back(std::move(view));
  }
  return views;
}

// Most moves need nothing that is not in the database: they are decided once, in the transaction that moves them. The
// others are decided outside the writer first, so that masking, measuring and refusing hold nobody up.
Result<model::PromotionView> Promotion::run(const meta::Actor& actor, const Wish& wish, meta::Commit commit) {
  auto straight = store_.write<model::PromotionView>(
      actor, commit, [&](meta::WriteTx& tx) { return execute(tx, wish, std::nullopt); });
  if (straight) return straight;
  return run_prepared(actor, wish, commit);
}

Result<model::PromotionView> Promotion::run_prepared(const meta::Actor& actor, Wish wish, meta::Commit commit) {
  struct First {
    Draft draft;
    bool unchanged = false;
    std::optional<model::PromotionView> before;
  };
  const auto look = [&](sql::Connection& connection) -> Result<First> {
    MLOPS_ASSIGN(auto before, replayed(connection, actor, wish.idempotency_key, wish.request_digest));
    if (before) return First{{}, true, std::move(before)};
    MLOPS_ASSIGN(auto made, draft(connection, wish));
    const bool unchanged = wish.plan_id.empty() && runs_already(connection, made);
    return First{std::move(made), unchanged, {}};
  };
  MLOPS_ASSIGN(auto first, store_.read<First>(look));
  if (!first.before && !first.unchanged && first.draft.missing == Missing::kEvidence) {
    // Servers are asked once; what they say holds inside the writer, too.
    MLOPS_ASSIGN(wish.prepared, prepare(actor, first.draft, commit));
    MLOPS_ASSIGN(first, store_.read<First>(look));
  }
  if (first.before) return std::move(*first.before);
  if (!wish.plan_digest.empty() && first.draft.plan.digest != wish.plan_digest) {
    if (commit == meta::Commit::kKeep) mark_ended(actor, wish.plan_id, "stale");
    return stale_plan(wish.plan_id);
  }
  MLOPS_TRY(check_overrides(first.draft.plan));
  if (!first.unchanged && first.draft.plan.verdict != model::Verdict::kPass) {
    if (commit == meta::Commit::kKeep) {
      MLOPS_TRY(record_refusal(actor, wish, first.draft, denying_gates(first.draft.plan)));
    }
    return refusal(first.draft.plan);
  }
  if (commit == meta::Commit::kDryRun && first.draft.plan.masking) {
    // A dry run shows the decision; masking the whole dataset to throw it away would not change it.
    model::PromotionView view;
    view.replaced_ref = first.draft.plan.running_ref;
    view.plan = std::move(first.draft.plan);
    return view;
  }
  std::optional<MaskedFiles> masked;
  if (!first.unchanged) {
    auto result = mask_if_planned(first.draft);
    if (!result && result.error().code == ErrorCode::kRefused) {
      MLOPS_TRY(record_refusal(actor, wish, first.draft, "masking: " + result.error().slug));
    }
    if (!result) return fail(std::move(result.error()));
    masked = std::move(*result);
  }
  return store_.write<model::PromotionView>(actor, commit,
                                            [&](meta::WriteTx& tx) { return execute(tx, wish, masked); });
}

}  // namespace mlops::domain
