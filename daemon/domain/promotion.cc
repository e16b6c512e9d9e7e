#include "daemon/domain/promotion.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/model/names.h"
#include "core/wire/views_json.h"
#include "daemon/domain/decisions.h"
#include "daemon/domain/gitops.h"
#include "daemon/domain/label_scan.h"
#include "policies/engine/exception_scope.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

// "hospital/readmission@v3 → prod", the target of audit entries about a move.
std::string move_text(const model::Plan& plan) {
  return fmt::format("{} → {}", plan.members.front().ref, plan.environment);
}

// The ids of the gates that do not pass, "auc-floor, clearance".
std::string denying_gates(const model::Plan& plan) {
  std::string gates;
  for (const auto& gate : plan.gates) {
    if (gate.verdict != model::Verdict::kPass) gates += (gates.empty() ? "" : ", ") + gate.id;
  }
  return gates;
}

// Masked versions live in artifacts of their own: beside versions that anybody registered, a rollback could bring raw
// data back under the masked name.
Status check_output_artifact(sql::Connection& connection, const meta::ArtifactRow& artifact) {
  if (artifact.last_number == 0) return {};
  MLOPS_ASSIGN(const bool masked, meta::holds_masked_versions(connection, artifact.id));
  if (masked) return {};
  return fail(ErrorCode::kConflict, "output_name_taken",
              fmt::format("the masked dataset would be called {}, and others have registered versions under that name",
                          artifact.name),
              "give the policy another output.name");
}

bool runs_already(sql::Connection& connection, const Draft& draft) {
  if (!draft.running || draft.plan.masking) return false;
  const auto members = meta::release_members(connection, draft.running->release_id);
  if (!members || members->size() != draft.members.size()) return false;
  for (std::size_t i = 0; i < members->size(); ++i) {
    if ((*members)[i].id != draft.members[i].id) return false;
  }
  return true;
}

Failure stale(const std::string& plan_id) {
  return fail(ErrorCode::kConflict, "stale_plan",
              fmt::format("the plan {} is stale: what it pins (versions, environment, policies or what runs) has changed",
                          plan_id),
              "make a new one: mlopsctl plan");
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
    plan.approvals.push_back({approval.principal_name, approval.decision, approval.reason, approval.created_at_us});
  }
  return plan;
}

}  // namespace

Result<model::DeploymentView> deployment_view(sql::Connection& connection, const meta::DeploymentRow& row) {
  model::DeploymentView view;
  view.id = row.id;
  view.environment = row.environment;
  view.name = row.name;
  view.kind = row.kind;
  view.release = row.release_number;
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
  for (const auto& member : members) view.members.push_back({member.ref(), member.digest.to_string()});
  view.action = row.action;
  view.by = row.created_by;
  view.reason = row.reason;
  view.plan_id = row.plan_id;
  view.started_at_us = row.valid_from_us;
  view.ended_at_us = row.valid_to_us;
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
  return store_.write<model::Plan>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<model::Plan> {
    MLOPS_ASSIGN(const auto wish, wish_of(tx.sql(), actor, request));
    MLOPS_ASSIGN(auto made, draft(tx.sql(), wish));
    MLOPS_TRY(store_plan(tx, made.plan));
    MLOPS_TRY(store_decision(tx, made, "plan"));
    return std::move(made.plan);
  });
}

Result<model::Plan> Promotion::plan_with(const meta::Actor& actor, const PlanRequest& request,
                                         const policy::Policy& candidate) {
  return store_.read<model::Plan>([&](sql::Connection& connection) -> Result<model::Plan> {
    MLOPS_ASSIGN(auto wish, wish_of(connection, actor, request));
    wish.candidate = &candidate;
    MLOPS_ASSIGN(auto made, draft(connection, wish));
    return std::move(made.plan);
  });
}

Result<model::Plan> Promotion::get_plan(const std::string& id) {
  return store_.read<model::Plan>([&](sql::Connection& connection) -> Result<model::Plan> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(connection, id));
    MLOPS_ASSIGN(auto shown, plan_of_row(connection, row));
    if (row.state != "open") return shown;
    // An open plan is shown as it would be decided now.
    MLOPS_ASSIGN(const auto wish, wish_of_plan(connection, row.id));
    MLOPS_ASSIGN(auto now, draft(connection, wish));
    if (now.plan.digest != row.digest) {
      shown.state = "stale";
      return shown;
    }
    shown.gates = std::move(now.plan.gates);
    shown.verdict = now.plan.verdict;
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

Result<model::Plan> Promotion::decide(const meta::Actor& actor, const std::string& plan_id, Decision decision,
                                      const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  const auto& who = actor.principal;
  return store_.write<model::Plan>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::Plan> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(tx.sql(), plan_id));
    MLOPS_ASSIGN(const auto wish, wish_of_plan(tx.sql(), row.id));  // open, or an error that says what it is
    if (row.requested_by_id == who.id) {
      return fail(ErrorCode::kDenied, "own_plan", fmt::format("{} requested this plan and cannot decide it", who.name),
                  "a second person approves or rejects it");
    }
    if (!who.is_human) {
      return fail(ErrorCode::kDenied, "not_a_person", fmt::format("{} is a service; a person decides", who.name));
    }
    MLOPS_ASSIGN(const auto now, draft(tx.sql(), wish));
    if (now.plan.digest != row.digest) return stale(row.id);
    const bool approves = decision == Decision::kApprove;
    MLOPS_ASSIGN(auto shown, plan_of_row(tx.sql(), row));
    tx.begin_entry(approves ? "plan.approve" : "plan.reject", move_text(shown), reason);
    meta::ApprovalRow approval;
    approval.id = tx.new_id();
    approval.plan_id = row.id;
    approval.plan_digest = row.digest;
    approval.principal_id = who.id;
    approval.decision = approves ? "approve" : "reject";
    approval.reason = reason;
    approval.created_at_us = tx.now_us();
    for (const auto role : who.roles) approval.roles += (approval.roles.empty() ? "" : " ") + std::string(to_word(role));
    MLOPS_TRY(meta::upsert_approval(tx, approval));
    if (!approves) MLOPS_TRY(meta::set_plan_state(tx, row.id, "rejected"));
    MLOPS_ASSIGN(const auto fresh, meta::find_plan(tx.sql(), row.id));
    MLOPS_ASSIGN(shown, plan_of_row(tx.sql(), fresh));
    if (approves) {
      MLOPS_ASSIGN(auto after, draft(tx.sql(), wish));
      shown.gates = std::move(after.plan.gates);
      shown.verdict = after.plan.verdict;
    }
    return shown;
  });
}

Failure Promotion::refusal(const model::Plan& plan) const {
  const bool pending = plan.verdict == model::Verdict::kPending;
  const auto gates = denying_gates(plan);
  const auto detail = canonical_dump(wire::to_json(plan));
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

void Promotion::mark_stale(const meta::Actor& actor, const std::string& plan_id) {
  auto marked = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(tx.sql(), plan_id));
    if (row.state != "open") return true;
    MLOPS_ASSIGN(const auto shown, plan_of_row(tx.sql(), row));
    tx.begin_entry("plan.stale", move_text(shown));
    MLOPS_TRY(meta::set_plan_state(tx, row.id, "stale"));
    return true;
  });
  if (!marked) log::warn("plan_not_marked_stale", {{"slug", std::string_view(marked.error().slug)}});
}

Result<std::optional<MaskedFiles>> Promotion::mask_if_planned(const Draft& drafted) {
  if (!drafted.plan.masking) return std::optional<MaskedFiles>();
  const auto& planned = *drafted.plan.masking;
  std::vector<model::FileEntry> files;
  std::string source_digest;
  std::string source_name;  // the context: the same person gets the same pseudonym in every version of one dataset
  for (const auto& member : drafted.members) {
    if (member.id != planned.source_version_id) continue;
    source_name = member.name;
    source_digest = member.digest.to_string();
    MLOPS_ASSIGN(const auto body, store_.read<std::string>([&](sql::Connection& connection) {
      return meta::manifest_body(connection, member.digest);
    }));
    MLOPS_ASSIGN(auto manifest, model::parse_manifest(body));
    if (manifest.is_tree) {
      MLOPS_ASSIGN(const auto tree, content_.read(manifest.tree_digest, 256u << 20));
      MLOPS_ASSIGN(manifest.files, model::parse_tree(tree));
    }
    files = std::move(manifest.files);
  }
  for (const auto& revision : drafted.policies) {
    if (revision.row.id != planned.policy.revision_id) continue;
    MLOPS_TRY(policy::check_exception_scope(revision.policy, "dataset:" + source_name, source_digest));
    MLOPS_ASSIGN(auto masked, compliance_.mask(revision.policy, files, source_name));
    masked.policy_revision_id = planned.policy.revision_id;
    masked.source_version_id = planned.source_version_id;
    return std::optional(std::move(masked));
  }
  return fail(ErrorCode::kInternal, "masking_policy_lost", "the masking policy of the plan is not among its policies");
}

Result<model::MaskingView> Promotion::register_masked(meta::WriteTx& tx, Draft& drafted, const MaskedFiles& masked) {
  const auto planned = *drafted.plan.masking;
  const auto member = std::find_if(drafted.members.begin(), drafted.members.end(),
                                   [&](const auto& version) { return version.id == planned.source_version_id; });
  MLOPS_ASSIGN(const auto manifest, model::make_manifest(model::ArtifactKind::kDataset, masked.files));
  const auto body = model::manifest_bytes(manifest);
  if (manifest.is_tree) MLOPS_TRY(content_.put(model::tree_bytes(manifest)));
  // They were stored before this transaction, and a collection that heeds no leases may have run since.
  for (const auto& file : manifest.files) {
    if (content_.has(file.digest, file.size_bytes)) continue;
    return fail(ErrorCode::kUnavailable, "store_changed", "masked bytes were collected before they were registered",
                "try again");
  }
  for (const auto& [key_id, cells] : masked.key_cells) {
    tx.begin_entry("key.use", key_id, fmt::format("{} cells of {}", cells, planned.source_ref), planned.policy.digest);
  }
  tx.begin_entry("dataset.mask", fmt::format("{} → {}", planned.source_ref, planned.output_name),
                 fmt::format("policy {}", planned.policy.name), planned.policy.digest);
  MLOPS_ASSIGN(const auto artifact, meta::upsert_artifact(tx, model::ArtifactKind::kDataset, planned.output_name));
  MLOPS_TRY(check_output_artifact(tx.sql(), artifact));
  model::Version output;
  MLOPS_ASSIGN(auto existing, meta::find_by_content(tx.sql(), artifact.id, crypto::sha256(body)));
  model::Sensitivity label = model::Sensitivity::kPersonal;
  for (const auto& revision : drafted.policies) {
    if (revision.row.id == planned.policy.revision_id) label = revision.policy.output_sensitivity();
  }
  if (existing && existing->sensitivity != label) {
    return fail(ErrorCode::kConflict, "masked_label_differs",
                fmt::format("the same masked bytes are already {}, labelled {}", existing->ref(),
                            to_word(existing->sensitivity)),
                "delete that version, or give the policy another output name");
  }
  if (existing) {
    output = std::move(*existing);
  } else {
    output.artifact_id = artifact.id;
    output.kind = model::ArtifactKind::kDataset;
    output.name = planned.output_name;
    output.digest = crypto::sha256(body);
    output.size_bytes = manifest.content_size_bytes;
    output.file_count = manifest.file_count;
    output.description = fmt::format("{} masked under policy {}", planned.source_ref, planned.policy.name);
    output.own_sensitivity = label;
    output.sensitivity = label;
    output.created_by = tx.actor().principal.name;
    MLOPS_TRY(meta::insert_version(tx, output, body));
    MLOPS_ASSIGN(const auto labels, meta::labels_of(tx.sql(), planned.source_version_id));
    for (const auto& [name, value] : labels_after_masking(labels, masked.evidence)) {
      MLOPS_TRY(meta::set_label(tx, output.id, name, value));
    }
  }
  MLOPS_TRY(meta::insert_edge(tx, planned.source_version_id, output.id, "masked"));
  const meta::MaskingRunRow run{tx.new_id(), planned.source_version_id, output.id,
                                planned.policy.revision_id, canonical_dump(masked.evidence), tx.now_us(),
                                tx.actor().principal.name};
  MLOPS_TRY(meta::insert_masking_run(tx, run));
  *member = output;
  return model::MaskingView{run.id,          planned.source_ref,     output.ref(), planned.policy.name,
                            planned.policy.digest, masked.evidence, run.created_at_us};
}

Result<model::PromotionView> Promotion::execute(meta::WriteTx& tx, const Wish& wish,
                                                const std::optional<MaskedFiles>& masked) {
  MLOPS_ASSIGN(auto made, draft(tx.sql(), wish));
  if (!wish.plan_digest.empty() && made.plan.digest != wish.plan_digest) return stale(wish.plan_id);
  model::PromotionView view;
  view.replaced_ref = made.plan.running_ref;
  if (wish.plan_id.empty() && runs_already(tx.sql(), made)) {
    MLOPS_ASSIGN(view.deployment, deployment_view(tx.sql(), *made.running));
    view.plan = std::move(made.plan);
    view.unchanged = true;
    return view;
  }
  if (made.plan.verdict != model::Verdict::kPass) return refusal(made.plan);
  if (wish.plan_id.empty()) MLOPS_TRY(store_plan(tx, made.plan));
  if (made.plan.masking) {
    const auto& planned = *made.plan.masking;
    const bool same = masked && masked->policy_revision_id == planned.policy.revision_id &&
                      masked->source_version_id == planned.source_version_id;
    if (!same) {
      return fail(ErrorCode::kConflict, "masking_changed",
                  "the masking policy, or whether masking is needed, changed while the dataset was masked", "try again");
    }
    MLOPS_ASSIGN(view.masking, register_masked(tx, made, *masked));
  }
  tx.begin_entry(made.plan.kind == "rollback" ? "release.rollback" : "release.promote", move_text(made.plan),
                 made.plan.reason, made.plan.policies.empty() ? std::string() : made.plan.policies.front().digest);
  MLOPS_ASSIGN(const auto release, meta::upsert_release(tx, made.members));
  if (made.running) MLOPS_TRY(meta::close_deployment(tx, made.running->id));
  meta::DeploymentRow row;
  row.id = tx.new_id();
  row.environment = made.plan.environment;
  row.kind = made.members.front().kind;
  row.name = made.members.front().name;
  row.release_id = release.id;
  row.release_number = release.number;
  row.plan_id = made.plan.id;
  row.action = made.plan.kind;
  row.reason = made.plan.reason;
  row.created_by = tx.actor().principal.name;
  row.valid_from_us = tx.now_us();
  MLOPS_TRY(meta::insert_deployment(tx, row));
  MLOPS_TRY(enqueue_gitops(tx, row, made.facts.environment));
  MLOPS_TRY(meta::set_plan_executed(tx, made.plan.id, canonical_dump(wire::plan_body(made.plan))));
  MLOPS_TRY(store_decision(tx, made, made.plan.kind));
  made.plan.state = "executed";
  MLOPS_ASSIGN(view.deployment, deployment_view(tx.sql(), row));
  view.plan = std::move(made.plan);
  return view;
}

Result<model::PromotionView> Promotion::run(const meta::Actor& actor, const Wish& wish, meta::Commit commit) {
  // Decided once outside the writer, so that a long masking run holds nobody up, and again inside it.
  struct First {
    Draft draft;
    bool unchanged = false;
  };
  MLOPS_ASSIGN(auto first, store_.read<First>([&](sql::Connection& connection) -> Result<First> {
    MLOPS_ASSIGN(auto made, draft(connection, wish));
    const bool unchanged = wish.plan_id.empty() && runs_already(connection, made);
    return First{std::move(made), unchanged};
  }));
  if (!wish.plan_digest.empty() && first.draft.plan.digest != wish.plan_digest) {
    if (commit == meta::Commit::kKeep) mark_stale(actor, wish.plan_id);
    return stale(wish.plan_id);
  }
  if (!first.unchanged && first.draft.plan.verdict != model::Verdict::kPass) {
    if (commit == meta::Commit::kKeep) MLOPS_TRY(record_refusal(actor, wish, first.draft, denying_gates(first.draft.plan)));
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
  return store_.write<model::PromotionView>(
      actor, commit, [&](meta::WriteTx& tx) { return execute(tx, wish, masked); });
}

Result<model::PromotionView> Promotion::promote(const meta::Actor& actor, const PlanRequest& request,
                                                meta::Commit commit) {
  MLOPS_ASSIGN(const auto wish, store_.read<Wish>([&](sql::Connection& connection) {
    return wish_of(connection, actor, request);
  }));
  return run(actor, wish, commit);
}

Result<model::PromotionView> Promotion::promote_plan(const meta::Actor& actor, const std::string& plan_id,
                                                     meta::Commit commit) {
  MLOPS_ASSIGN(auto wish, store_.read<Wish>([&](sql::Connection& connection) {
    return wish_of_plan(connection, plan_id);
  }));
  wish.executed_by_id = actor.principal.id;
  return run(actor, wish, commit);
}

Result<model::PromotionView> Promotion::rollback(const meta::Actor& actor, const RollbackRequest& request,
                                                 meta::Commit commit) {
  MLOPS_ASSIGN(const auto wish, store_.read<Wish>([&](sql::Connection& connection) {
    return wish_of_rollback(connection, actor, request);
  }));
  return run(actor, wish, commit);
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

}  // namespace mlops::domain
