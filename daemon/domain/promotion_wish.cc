// What is asked for, as versions by id: from a request, from a stored plan, or from the history of an environment.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "core/wire/facts_json.h"
#include "core/wire/views_json.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/decisions.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kHistoryLimit = 1000;
constexpr std::size_t kLongestKey = 255;
constexpr std::string_view kPromote = "promote";

Result<model::Version> resolve_live(sql::Connection& connection, const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
  if (version.deleted_at_us != 0) {
    return fail(ErrorCode::kNotFound, "version_deleted",
                fmt::format("{} was deleted: {}", version.ref(), version.deleted_reason));
  }
  return version;
}

// The release a rollback goes to by default: the newest one in this name's history that is not the running one and was
// not itself rolled back from.
Result<meta::DeploymentRow> rollback_target(const std::vector<meta::DeploymentRow>& newest_first,
                                            const std::vector<meta::RejectionRow>& rejections,
                                            const RollbackRequest& request) {
  std::set<std::string> not_again;
  if (!newest_first.front().valid_to_us) not_again.insert(newest_first.front().release_id);
  for (const auto& rejection : rejections) not_again.insert(rejection.release_id);
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    const auto& row = newest_first[i];
    if (!not_again.contains(row.release_id)) return row;
    if (row.action == "rollback" && i + 1 < newest_first.size()) not_again.insert(newest_first[i + 1].release_id);
  }
  return fail(ErrorCode::kNotFound, "no_earlier_release",
              fmt::format("{} never ran another release of {} to go back to", request.environment, request.name),
              "`mlopsctl history` shows what ran");
}

Result<meta::DeploymentRow> deployment_of_number(sql::Connection& connection,
                                                 const std::vector<meta::DeploymentRow>& newest_first,
                                                 const RollbackRequest& request) {
  for (const auto& row : newest_first) {
    if (row.kind == meta::kNamedRelease) {
      if (row.release_number == request.to_number) return row;
      continue;
    }
    MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
    if (!members.empty() && members.front().number == request.to_number) return row;
  }
  return fail(
      ErrorCode::kNotFound, "never_ran_here",
      fmt::format("{}@{}{} never ran in {}", request.name, model::is_release_reference(request.name) ? "r" : "v",
                  request.to_number, request.environment),
      "a rollback goes to what ran there before; use promote for anything else");
}

// The plan that was approved is that of the promotion, however often the release was rolled back to since.
Result<std::string> plan_of_promotion(sql::Connection& connection, const meta::DeploymentRow& target) {
  MLOPS_ASSIGN(const auto rows, meta::list_deployments(connection, {.environment = target.environment,
                                                                    .kind = target.kind,
                                                                    .name = target.name,
                                                                    .release_id = target.release_id,
                                                                    .limit = kHistoryLimit}));
  const auto promoted = std::find_if(rows.begin(), rows.end(), [](const auto& row) { return row.action == kPromote; });
  return promoted == rows.end() ? std::string() : promoted->plan_id;
}

// The line of an environment's history that a rollback is about.
struct Line {
  std::string kind;
  std::string name;
};

Result<Line> line_of(sql::Connection& connection, const RollbackRequest& request) {
  if (model::is_release_reference(request.name)) {
    const auto name = request.name.substr(model::kReleasePrefix.size());
    MLOPS_TRY(model::check_artifact_name(name));
    return Line{std::string(meta::kNamedRelease), name};
  }
  MLOPS_ASSIGN(const auto reference, model::parse_reference(request.name));
  if (reference.selector != model::Reference::Selector::kBare) {
    return fail(ErrorCode::kInvalid, "bad_reference", "a rollback names the artifact alone",
                "give --to v3 for a version");
  }
  MLOPS_ASSIGN(const auto artifact, meta::the_artifact(connection, reference.kind, reference.name));
  return Line{std::string(to_word(artifact.kind)), artifact.name};
}

// What a promotion ended, when it took the places of releases of other names, and the environment has been rolled back
// from none of them since; else empty.
Result<std::vector<meta::DeploymentRow>> to_restore(sql::Connection& connection, const meta::DeploymentRow& promotion) {
  using Rows = std::vector<meta::DeploymentRow>;
  MLOPS_ASSIGN(auto rows, ended_by(connection, promotion));
  const bool took_places = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    return row.kind != promotion.kind || row.name != promotion.name;
  });
  if (!took_places) return Rows();
  for (const auto& row : rows) {
    MLOPS_ASSIGN(const auto rejection, meta::find_rejection(connection, row.environment, row.release_id));
    if (rejection) return Rows();
  }
  return rows;
}

// Adds the members of what a rollback brings back, and the plan they were approved under; gives the members.
Result<std::vector<model::Version>> add_target(sql::Connection& connection, const meta::DeploymentRow& target,
                                               std::vector<std::string>& version_ids,
                                               std::vector<std::string>& plan_ids) {
  MLOPS_ASSIGN(auto members, meta::release_members(connection, target.release_id));
  for (const auto& member : members) version_ids.push_back(member.id);
  MLOPS_ASSIGN(auto plan_id, plan_of_promotion(connection, target));
  plan_ids.push_back(std::move(plan_id));
  return members;
}

Status check_idempotency_key(const std::string& key) {
  const bool is_printable = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (key.size() <= kLongestKey && is_printable) return {};
  return fail(ErrorCode::kInvalid, "bad_idempotency_key",
              fmt::format("an idempotency key is up to {} printable ASCII characters without spaces", kLongestKey));
}

}  // namespace

std::string request_digest(const PlanRequest& request, std::string_view operation) {
  return crypto::sha256(canonical_dump({{"operation", operation},
                                        {"refs", request.refs},
                                        {"environment", request.environment},
                                        {"reason", request.reason},
                                        {"break_glass", request.is_break_glass},
                                        {"again", request.accepts_rejected}}))
      .to_string();
}

std::string request_digest(const RollbackRequest& request) {
  return crypto::sha256(canonical_dump({{"name", request.name},
                                        {"environment", request.environment},
                                        {"to", request.to_number},
                                        {"reason", request.reason},
                                        {"overrides", request.overrides}}))
      .to_string();
}

Status check_break_glass(const model::Principal& who, const std::string& reason) {
  if (!who.has(model::Scope::kReleaseBreakGlass)) {
    return fail(ErrorCode::kDenied, "break_glass_denied", fmt::format("{} may not break the glass", who.name),
                "it takes a token of role oncall");
  }
  if (!who.is_human) {
    return fail(ErrorCode::kDenied, "not_a_person",
                fmt::format("{} is a service; a person breaks the glass", who.name));
  }
  if (trim(reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "breaking the glass needs a reason", "give --reason");
  }
  return {};
}

Result<Promotion::Wish> Promotion::wish_of(sql::Connection& connection, const meta::Actor& actor,
                                           const PlanRequest& request) {
  MLOPS_TRY(model::check_environment_name(request.environment));
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  Wish wish;
  wish.environment = request.environment;
  wish.reason = request.reason;
  wish.requested_by = actor.principal.name;
  wish.requested_by_id = actor.principal.id;
  wish.is_break_glass = request.is_break_glass;
  wish.accepts_rejected = request.accepts_rejected;
  wish.idempotency_key = request.idempotency_key;
  MLOPS_TRY(check_idempotency_key(request.idempotency_key));
  if (request.is_break_glass) MLOPS_TRY(check_break_glass(actor.principal, request.reason));
  if (request.refs.size() == 1 && model::is_release_reference(request.refs.front())) {
    return wish_of_release(connection, request.refs.front(), std::move(wish));
  }
  std::set<std::string> names;
  for (const auto& ref : request.refs) {
    if (model::is_release_reference(ref)) {
      return fail(ErrorCode::kInvalid, "bad_reference", "a named release moves alone: it says what belongs to it",
                  "name it as the only REF, or make a new release with the other version in it");
    }
    MLOPS_ASSIGN(const auto version, resolve_live(connection, ref));
    if (!names.insert(fmt::format("{}:{}", to_word(version.kind), version.name)).second) {
      return fail(ErrorCode::kInvalid, "duplicate_member",
                  fmt::format("the release would hold two versions of {}", version.name));
    }
    wish.version_ids.push_back(version.id);
  }
  if (wish.version_ids.empty()) return fail(ErrorCode::kInvalid, "missing_field", "no version was named", "give a REF");
  return wish;
}

Result<Promotion::Wish> Promotion::wish_of_plan(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(const auto row, meta::find_plan(connection, plan_id));
  if (row.state != "open") {
    return fail(ErrorCode::kConflict, row.state == "stale" ? "stale_plan" : "plan_closed",
                fmt::format("the plan {} is {}", row.id, row.state), "make a new one: mlopsctl plan --again " + row.id);
  }
  MLOPS_ASSIGN(const auto body, parse_json(row.body));
  Wish wish;
  wish.kind = row.kind;
  wish.environment = row.environment;
  wish.requested_by_id = row.requested_by_id;
  wish.plan_id = row.id;
  wish.requested_at_us = row.created_at_us;
  wish.plan_digest = row.digest;
  MLOPS_ASSIGN(const auto plan, wire::plan_from_body(body));
  for (const auto& member : plan.members) wish.version_ids.push_back(member.version_id);
  wish.requested_by = plan.requested_by;
  wish.reason = plan.reason;
  wish.release_id = plan.release_id;
  wish.is_break_glass = plan.is_break_glass;
  wish.accepts_rejected = plan.accepts_rejected;
  wish.overrides = plan.overrides;
  wish.restores = plan.restores;
  wish.leaves_id = plan.running_deployment_id;
  wish.expires_at_us = plan.expires_at_us;
  if (plan.expires_at_us != 0 && plan.expires_at_us <= store_.now_us()) {
    return fail(ErrorCode::kConflict, "plan_expired",
                fmt::format("the plan {} ended on {}", row.id, format_rfc3339(plan.expires_at_us)),
                "make a new one: mlopsctl plan --again " + row.id);
  }
  return wish;
}

Result<Promotion::Wish> Promotion::wish_of_release(sql::Connection& connection, const std::string& ref, Wish wish) {
  MLOPS_ASSIGN(const auto reference, model::parse_release_reference(ref));
  MLOPS_ASSIGN(const auto release, meta::find_named_release(connection, reference.name, reference.number));
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, release.id));
  wish.release_id = release.id;
  for (const auto& member : members) {
    if (member.deleted_at_us != 0) {
      return fail(ErrorCode::kNotFound, "version_deleted",
                  fmt::format("{} of {} was deleted: {}", member.ref(), ref, member.deleted_reason));
    }
    wish.version_ids.push_back(member.id);
  }
  return wish;
}

Result<Promotion::Wish> Promotion::wish_of_rollback(sql::Connection& connection, const meta::Actor& actor,
                                                    const RollbackRequest& request) {
  MLOPS_TRY(model::check_environment_name(request.environment));
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  MLOPS_TRY(check_idempotency_key(request.idempotency_key));
  MLOPS_TRY(compliance_.environment(connection, request.environment));
  MLOPS_ASSIGN(const auto line, line_of(connection, request));
  MLOPS_ASSIGN(const auto history,
               meta::list_deployments(
                   connection,
                   {.environment = request.environment, .kind = line.kind, .name = line.name, .limit = kHistoryLimit}));
  if (history.empty()) {
    return fail(ErrorCode::kNotFound, "nothing_runs",
                fmt::format("{} runs no {}", request.environment, printable(request.name)),
                "`mlopsctl status` shows what runs where");
  }
  Wish wish;
  wish.kind = "rollback";
  wish.overrides = request.overrides;
  wish.idempotency_key = request.idempotency_key;
  wish.environment = request.environment;
  wish.reason = request.reason;
  wish.requested_by = actor.principal.name;
  wish.requested_by_id = actor.principal.id;
  MLOPS_TRY(aim(connection, request, history, wish));
  return wish;
}

// What a rollback goes back to. A promotion that took the places of others is undone as a whole; what was itself rolled
// back to leads further back, in its own line first, and in the end to what its first promotion had taken the places
// of.
Status Promotion::aim(sql::Connection& connection, const RollbackRequest& request,
                      const std::vector<meta::DeploymentRow>& newest_first, Wish& wish) {
  const auto& newest = newest_first.front();
  const bool may_be_several = request.to_number == 0 && !newest.valid_to_us;
  if (may_be_several && newest.action == kPromote) {
    MLOPS_ASSIGN(const auto several, to_restore(connection, newest));
    if (!several.empty()) return aim_at_several(connection, several, newest, wish);
  }
  MLOPS_ASSIGN(const auto rejections, meta::list_rejections(connection, request.environment));
  auto target = request.to_number == 0 ? rollback_target(newest_first, rejections, request)
                                       : deployment_of_number(connection, newest_first, request);
  if (!target && may_be_several && newest.action != kPromote) {
    const auto first = std::find_if(newest_first.begin(), newest_first.end(), [&](const auto& row) {
      return row.release_id == newest.release_id && row.action == kPromote;
    });
    if (first == newest_first.end()) return fail(std::move(target.error()));
    MLOPS_ASSIGN(const auto several, to_restore(connection, *first));
    if (!several.empty()) return aim_at_several(connection, several, newest, wish);
  }
  if (!target) return fail(std::move(target.error()));
  if (target->kind == meta::kNamedRelease) wish.release_id = target->release_id;
  return add_target(connection, *target, wish.version_ids, wish.earlier_plan_ids).map([](auto&&) {});
}

Status Promotion::aim_at_several(sql::Connection& connection, const std::vector<meta::DeploymentRow>& targets,
                                 const meta::DeploymentRow& leaves, Wish& wish) {
  wish.leaves_id = leaves.id;
  for (const auto& target : targets) {
    MLOPS_ASSIGN(const auto members, add_target(connection, target, wish.version_ids, wish.earlier_plan_ids));
    wish.restores.push_back({target.release_id, release_ref(target, members)});
  }
  return {};
}

std::vector<std::string> Promotion::Wish::release_ids() const {
  std::vector<std::string> ids;
  if (!release_id.empty()) ids.push_back(release_id);
  for (const auto& restored : restores) ids.push_back(restored.release_id);
  return ids;
}

Result<std::vector<meta::DeploymentRow>> replaced_by(sql::Connection& connection,
                                                     const meta::DeploymentRow& deployment) {
  std::vector<meta::DeploymentRow> rows;
  const auto decision = meta::decision_of_plan(connection, deployment.plan_id);
  // Of before records were kept: there were no releases yet that could take another's place.
  if (!decision && decision.error().slug == "decision_not_found") return rows;
  if (!decision) return fail(decision.error());
  MLOPS_ASSIGN(const auto json, parse_json(decision->facts, {.size_bytes = 64u << 20, .nodes = 10'000'000}));
  MLOPS_ASSIGN(const auto facts, wire::facts_from_json(json));
  for (const auto& overlap : facts.overlaps) {
    MLOPS_ASSIGN(auto row, meta::get_deployment(connection, overlap.deployment_id));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::vector<meta::DeploymentRow>> ended_by(sql::Connection& connection, const meta::DeploymentRow& deployment) {
  MLOPS_ASSIGN(auto rows, replaced_by(connection, deployment));
  MLOPS_ASSIGN(const auto plan_row, meta::find_plan(connection, deployment.plan_id));
  MLOPS_ASSIGN(const auto plan, plan_of_row(connection, plan_row));
  if (!plan.running_deployment_id.empty()) {
    MLOPS_ASSIGN(auto before, meta::get_deployment(connection, plan.running_deployment_id));
    rows.insert(rows.begin(), std::move(before));
  }
  return rows;
}

}  // namespace mlops::domain
