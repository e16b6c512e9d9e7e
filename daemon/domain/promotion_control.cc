// What controls a change beside its gates: reviews after break-glass, releases that were rolled back from, releases
// that overlap, and requests that are sent twice.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/wire/facts_json.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kMicrosPerHour = 3'600'000'000;
constexpr std::int64_t kKeepRequestsUs = 7 * 24 * kMicrosPerHour;
constexpr std::string_view kOutcomes[] = {"justified", "unjustified"};

std::string release_name(std::string_view name, std::int64_t number) {
  return fmt::format("{} release {}", name, number);
}

}  // namespace

Result<model::ReviewView> review_view(const meta::ReviewRow& row) {
  MLOPS_ASSIGN(const auto overridden, parse_json(row.overridden));
  model::ReviewView view;
  view.deployment_id = row.deployment_id;
  view.environment = row.environment;
  view.opened_by = row.opened_by;
  for (const auto& gate : overridden)
    view.overridden.push_back(gate.is_string() ? gate.get<std::string>() : gate.dump());
  view.opened_at_us = row.created_at_us;
  view.due_at_us = row.due_at_us;
  view.reviewed_at_us = row.reviewed_at_us;
  view.reviewed_by = row.reviewed_by;
  view.outcome = row.outcome;
  view.note = row.note;
  return view;
}

// What a plan pins of its facts: what is moved and the evidence for it. How far people have come (approvals, reviews,
// where it ran, what is uploaded, deprecated or erased, the time) is decided anew when the plan is executed, and makes
// no other plan.
std::string pinned_facts_digest(const model::PromotionFacts& facts) {
  auto pinned = facts;
  pinned.approvals.clear();
  pinned.decided_at_us = 0;
  pinned.reason.clear();
  pinned.open_reviews.clear();
  pinned.rejected.reset();
  pinned.overlaps.clear();
  pinned.calendar.reset();
  pinned.external.clear();
  for (auto& member : pinned.members) {
    member.ran_in.clear();
    member.soaked.clear();
    member.provenance.reset();
    member.missing_blobs.clear();
    member.open_erasures.clear();
    member.evidence = {};
    member.version.deprecated_reason.clear();
    member.version.deleted_at_us = 0;
    member.version.deleted_reason.clear();
  }
  return crypto::sha256(canonical_dump(wire::to_json(pinned))).to_string();
}

Status Promotion::add_control_facts(sql::Connection& connection, const Wish& wish, Draft& draft) {
  auto& facts = draft.facts;
  facts.is_break_glass = draft.plan.is_break_glass = wish.is_break_glass;
  facts.accepts_rejected = draft.plan.accepts_rejected = wish.accepts_rejected;
  facts.overrides = draft.plan.overrides = wish.overrides;
  MLOPS_ASSIGN(const auto reviews, meta::list_reviews(connection, {draft.plan.environment, true}));
  for (const auto& review : reviews) {
    facts.open_reviews.push_back({review.deployment_id, review.opened_by, review.due_at_us});
  }
  std::sort(facts.open_reviews.begin(), facts.open_reviews.end(),
            [](const auto& a, const auto& b) { return a.due_at_us < b.due_at_us; });
  draft.plan.restores = wish.restores;
  auto release_ids = wish.release_ids();
  if (release_ids.empty()) {
    MLOPS_ASSIGN(auto id, meta::find_release_id(connection, draft.members));
    release_ids.push_back(std::move(id));
  }
  for (const auto& id : release_ids) {
    MLOPS_ASSIGN(const auto rejection, meta::find_rejection(connection, draft.plan.environment, id));
    if (!rejection || facts.rejected) continue;
    facts.rejected = {release_name(rejection->release_name, rejection->release_number), rejection->rejected_by,
                      rejection->reason, rejection->valid_from_us};
  }
  return add_overlaps(connection, wish, draft);
}

// A release that runs now, and what of it this one lacks.
Result<model::OverlapFact> Promotion::overlap_with(sql::Connection& connection, const meta::DeploymentRow& row,
                                                   const std::vector<std::string>& artifacts) {
  model::OverlapFact overlap{row.id, release_name(row.name, row.release_number), {}};
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
  for (const auto& member : members) {
    if (std::find(artifacts.begin(), artifacts.end(), member.artifact_id) != artifacts.end()) continue;
    overlap.missing.push_back(fmt::format("{}:{}", to_word(member.kind), member.name));
  }
  return overlap;
}

// An artifact runs in one version per environment: a release under another name that holds one of this release's
// artifacts ends when this one covers it, and stands in the way when it does not.
Status Promotion::add_overlaps(sql::Connection& connection, const Wish& wish, Draft& draft) {
  std::vector<std::string> artifacts;
  for (const auto& member : draft.members) {
    const bool is_masked = draft.plan.masking && draft.plan.masking->source_version_id == member.id;
    if (!is_masked) {
      artifacts.push_back(member.artifact_id);
      continue;
    }
    // What will run is the masked version.
    MLOPS_ASSIGN(const auto output,
                 meta::find_artifact(connection, model::ArtifactKind::kDataset, draft.plan.masking->output_name));
    if (output) artifacts.push_back(output->id);
  }
  MLOPS_ASSIGN(auto rows, meta::running_with_artifacts(connection, draft.plan.environment, artifacts));
  // Names under which something comes back may have been taken by a later release.
  for (const auto& restored : wish.restores) {
    MLOPS_ASSIGN(const auto release, meta::get_release(connection, restored.release_id));
    MLOPS_ASSIGN(auto later, meta::list_deployments(connection, {.environment = draft.plan.environment,
                                                                 .kind = release.kind,
                                                                 .name = release.name,
                                                                 .running_only = true,
                                                                 .limit = 1}));
    rows.insert(rows.end(), later.begin(), later.end());
  }
  std::set<std::string> known;
  if (draft.running) known.insert(draft.running->id);
  for (const auto& row : rows) {
    if (!known.insert(row.id).second) continue;
    MLOPS_ASSIGN(auto overlap, overlap_with(connection, row, artifacts));
    draft.facts.overlaps.push_back(std::move(overlap));
  }
  return {};
}

Status Promotion::record_break_glass(meta::WriteTx& tx, const Draft& draft, const std::string& deployment_id) {
  Json overridden = Json::array();
  for (const auto& gate : draft.plan.gates) {
    if (gate.facts.contains("passed_over_by")) overridden.push_back(gate.id);
  }
  const auto& environment = draft.facts.environment;
  const auto hours = environment.review_within_hours != 0 ? environment.review_within_hours : model::kReviewWithinHours;
  meta::ReviewRow review;
  review.deployment_id = deployment_id;
  review.environment = draft.plan.environment;
  review.plan_id = draft.plan.id;
  review.opened_by_id = tx.actor().principal.id;
  review.overridden = canonical_dump(overridden);
  review.due_at_us = tx.now_us() + hours * kMicrosPerHour;
  return meta::insert_review(tx, review);
}

// A rollback rejects what it leaves, under whatever name; a promotion that says so lifts the rejection of what it
// brings back, and so does a rollback to it.
Status Promotion::record_rejection(meta::WriteTx& tx, const Draft& draft,
                                   const std::vector<meta::ReleaseRow>& releases) {
  for (const auto& release : releases) {
    MLOPS_ASSIGN(const auto standing, meta::find_rejection(tx.sql(), draft.plan.environment, release.id));
    if (standing) MLOPS_TRY(meta::lift_rejection(tx, standing->id));
  }
  if (draft.plan.kind != "rollback") return {};
  std::vector<meta::DeploymentRow> left;
  if (draft.running) left.push_back(*draft.running);
  for (const auto& overlap : draft.facts.overlaps) {
    MLOPS_ASSIGN(auto row, meta::get_deployment(tx.sql(), overlap.deployment_id));
    left.push_back(std::move(row));
  }
  for (const auto& deployment : left) {
    meta::RejectionRow row;
    row.environment = draft.plan.environment;
    row.release_id = deployment.release_id;
    row.deployment_id = deployment.id;
    row.reason = draft.plan.reason;
    row.rejected_by = tx.actor().principal.name;
    MLOPS_TRY(meta::reject_release(tx, row));
  }
  return {};
}

Result<std::optional<model::PromotionView>> Promotion::replayed(sql::Connection& connection, const meta::Actor& actor,
                                                                const std::string& key,
                                                                const std::string& request_digest) {
  using Found = std::optional<model::PromotionView>;
  if (key.empty()) return Found();
  MLOPS_ASSIGN(const auto before, meta::find_idempotency(connection, actor.principal.id, key));
  if (!before) return Found();
  if (before->request_digest != request_digest) {
    return fail(ErrorCode::kConflict, "idempotency_key_reused", "this idempotency key was used for another request",
                "a new request takes a new key");
  }
  model::PromotionView view;
  view.is_replayed = true;
  MLOPS_ASSIGN(const auto row, meta::find_plan(connection, before->plan_id));
  MLOPS_ASSIGN(view.plan, plan_of_row(connection, row));
  if (before->deployment_id.empty()) return Found(std::move(view));
  MLOPS_ASSIGN(const auto deployment, meta::get_deployment(connection, before->deployment_id));
  MLOPS_ASSIGN(view.deployment, deployment_view(connection, deployment));
  view.replaced_ref = view.plan.running_ref;
  MLOPS_ASSIGN(const auto replaced, replaced_by(connection, deployment));
  for (const auto& one : replaced) view.took_places.push_back(release_name(one.name, one.release_number));
  if (!view.plan.restores.empty()) {
    MLOPS_ASSIGN(const auto restored, meta::list_deployments(connection, {.plan_id = row.id}));
    for (auto one = restored.rbegin(); one != restored.rend(); ++one) {
      MLOPS_ASSIGN(auto also, deployment_view(connection, *one));
      view.restored.push_back(std::move(also));
    }
  }
  return Found(std::move(view));
}

Status Promotion::remember_request(meta::WriteTx& tx, const Wish& wish, const std::string& plan_id,
                                   const std::string& deployment_id) {
  if (wish.idempotency_key.empty()) return {};
  return meta::insert_idempotency(
      tx, {tx.actor().principal.id, wish.idempotency_key, wish.request_digest, plan_id, deployment_id},
      kKeepRequestsUs);
}

Result<std::vector<model::ReviewView>> Promotion::list_reviews(const meta::ReviewFilter& filter) {
  using Views = std::vector<model::ReviewView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(const auto rows, meta::list_reviews(connection, filter));
    Views views;
    for (const auto& row : rows) {
      MLOPS_ASSIGN(auto view, review_view(row));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<model::ReviewView> Promotion::close_review(const meta::Actor& actor, const ReviewRequest& request,
                                                  meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(request.note, "note"));
  if (std::find(std::begin(kOutcomes), std::end(kOutcomes), request.outcome) == std::end(kOutcomes)) {
    return fail(ErrorCode::kInvalid, "bad_outcome", "a review finds the change justified or unjustified",
                "use justified or unjustified");
  }
  const auto& who = actor.principal;
  return store_.write<model::ReviewView>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::ReviewView> {
    MLOPS_ASSIGN(auto row, meta::find_review(tx.sql(), request.deployment_id));
    if (row.reviewed_at_us) {
      return fail(ErrorCode::kConflict, "review_done",
                  fmt::format("{} reviewed it already: {}", printable(row.reviewed_by), row.outcome));
    }
    if (!who.is_human) {
      return fail(ErrorCode::kDenied, "not_a_person", fmt::format("{} is a service; a person reviews", who.name));
    }
    MLOPS_ASSIGN(const auto plan, meta::find_plan(tx.sql(), row.plan_id));
    if (row.opened_by_id == who.id || plan.requested_by_id == who.id) {
      return fail(ErrorCode::kDenied, "own_review", fmt::format("{} broke the glass and cannot review it", who.name),
                  "a second person reviews it");
    }
    row.reviewed_by = who.name;
    row.outcome = request.outcome;
    row.note = request.note;
    tx.begin_entry("release.review", fmt::format("{} in {}", row.deployment_id, row.environment), request.note);
    MLOPS_TRY(meta::close_review(tx, row));
    MLOPS_ASSIGN(const auto after, meta::find_review(tx.sql(), row.deployment_id));
    return review_view(after);
  });
}

}  // namespace mlops::domain
