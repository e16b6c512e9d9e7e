// Policy sources in Git, their plans, and deliveries to GitOps repositories.
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

constexpr std::int64_t kMostApprovals = 20;

Json source_json(const meta::SourceRow& row) {
  return {{"name", row.name},
          {"repository", row.repository},
          {"branch", row.branch},
          {"path", row.policies_path},
          {"environments", row.environments_path},
          {"approvals_needed", row.approvals_needed},
          {"commit", text_or_null(row.pinned_commit)},
          {"created_at", format_rfc3339(row.created_at_us)},
          {"created_by", row.created_by},
          {"applied_at", time_or_null(row.applied_at_us)},
          {"applied_by", text_or_null(row.applied_by)}};
}

Json plan_json(const meta::SourcePlanRow& row) {
  Json json = {{"id", row.id},
               {"digest", row.digest},
               {"state", row.state},
               {"base_commit", text_or_null(row.base_commit)},
               {"commit", row.target_commit},
               {"reason", row.reason},
               {"requested_by", row.requested_by},
               {"created_at", time_or_null(row.created_at_us)},
               {"applied_at", time_or_null(row.applied_at_us)},
               {"changes", Json::array()}};
  // The fingerprints of authors stay here.
  if (const auto body = parse_json(row.body); body && body->is_object()) {
    for (const char* key : {"changes", "flips", "commits"}) {
      if (body->contains(key)) json[key] = (*body)[key];
    }
  }
  return json;
}

Json view_json(const domain::SourcePlanView& view) {
  auto json = plan_json(view.row);
  json["source"] = view.source.name;
  json["repository"] = view.source.repository;
  json["approvals_needed"] = view.source.approvals_needed;
  json["approvals"] = Json::array();
  for (const auto& one : view.approvals) {
    json["approvals"].push_back(
        {{"by", one.principal}, {"reason", one.reason}, {"at", format_rfc3339(one.created_at_us)}});
  }
  return json;
}

Result<Response> list_sources(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto rows, services.sources.list());
  Json items = Json::array();
  for (const auto& row : rows) items.push_back(source_json(row));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> show_source(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto view, services.sources.show(request.params[0]));
  auto json = source_json(view.source);
  json["items"] = Json::array();
  for (const auto& item : view.items) {
    const bool is_policy = item.kind == meta::RevisionKind::kPolicy;
    json["items"].push_back({{"kind", is_policy ? "policy" : "environment"}, {"name", item.name}, {"path", item.path}});
  }
  json["plans"] = Json::array();
  for (const auto& plan : view.plans) json["plans"].push_back(plan_json(plan));
  return Response::json(200, json);
}

Result<Response> add_source(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "repository", "branch", "path", "environments",
                                                    "approvals_needed", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::SourceWish wish;
  MLOPS_ASSIGN(wish.name, require_string(body, "name"));
  MLOPS_ASSIGN(wish.repository, require_string(body, "repository"));
  MLOPS_ASSIGN(wish.branch, optional_string(body, "branch"));
  MLOPS_ASSIGN(wish.policies_path, optional_string(body, "path"));
  MLOPS_ASSIGN(wish.environments_path, optional_string(body, "environments"));
  MLOPS_ASSIGN(wish.approvals_needed, optional_int(body, "approvals_needed", 0, 0, kMostApprovals));
  MLOPS_ASSIGN(const auto row, services.sources.add(actor_of(request), wish, commit));
  return answer(201, source_json(row), commit);
}

Result<Response> remove_source(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto row, services.sources.remove(actor_of(request), request.params[0], reason, commit));
  return answer(200, source_json(row), commit);
}

Result<Response> sync_source(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"commit", "reason", "accept_rewrite", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::SyncWish wish;
  wish.source = request.params[0];
  MLOPS_ASSIGN(wish.commit, optional_string(body, "commit"));
  MLOPS_ASSIGN(wish.reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const bool accepts, optional_bool(body, "accept_rewrite", false));
  if (accepts) wish.rewrite = domain::SyncWish::Rewrite::kAccept;
  MLOPS_ASSIGN(const auto view, services.sources.sync(actor_of(request), wish, commit));
  return answer(200, view_json(view), commit);
}

Result<Response> show_source_plan(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto view, services.sources.plan(request.params[0]));
  return Response::json(200, view_json(view));
}

Result<Response> approve_source_plan(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.sources.approve(actor_of(request), request.params[0], reason, commit));
  return answer(200, view_json(view), commit);
}

Result<Response> apply_source_plan(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto view, services.sources.apply(actor_of(request), request.params[0], commit));
  return answer(200, view_json(view), commit);
}

Json outbox_json(const meta::OutboxRow& row) {
  return {{"deployment", row.deployment_id},
          {"environment", row.environment},
          {"repository", row.repository},
          {"path", row.path},
          {"renderer", row.renderer},
          {"state", row.state},
          {"attempts", row.attempts},
          {"next_at", row.state == "pending" ? time_or_null(row.next_at_us) : Json(nullptr)},
          {"commit", row.state == "done" ? text_or_null(row.commit) : Json(nullptr)},
          {"problem", text_or_null(row.problem)},
          {"changed_at", format_rfc3339(row.changed_at_us)}};
}

Result<Response> gitops_status(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"environment", "state", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::OutboxFilter filter;
  filter.environment = request.query_or("environment", "");
  filter.state = request.query_or("state", "");
  filter.after_deployment_id = request.query_or("after", "");
  filter.limit = limit + 1;
  MLOPS_ASSIGN(const auto rows, services.gitops.status(filter));
  Json items = Json::array();
  for (const auto& row : rows) items.push_back(outbox_json(row));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("deployment"); }));
}

Result<Response> gitops_retry(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"environment", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto environment, optional_string(body, "environment"));
  MLOPS_ASSIGN(const auto count, services.gitops.retry(actor_of(request), environment, commit));
  return answer(200, {{"retried", count}}, commit);
}

}  // namespace

void add_git_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(
      routes.end(),
      {{Method::kGet, "/api/v1/policy-sources", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "Git sources of policies and environments.", bind(list_sources)},
       {Method::kPost, "/api/v1/policy-sources", Scope::kPolicyWrite, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Add a Git source.", bind(add_source)},
       {Method::kGet, "/api/v1/policy-sources/{name}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "One source, what it owns and its plans.", bind(show_source)},
       {Method::kDelete, "/api/v1/policy-sources/{name}", Scope::kPolicyWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Remove a source; what it owned stays in force.", bind(remove_source)},
       {Method::kPost, "/api/v1/policy-sources/{name}/sync", Scope::kPolicyWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Fetch and plan what a commit changes; an unprotected source applies it.", bind(sync_source)},
       {Method::kGet, "/api/v1/source-plans/{id}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "A plan of a source's change.", bind(show_source_plan)},
       {Method::kPost, "/api/v1/source-plans/{id}/approve", Scope::kReleaseApprove, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Approve a change of policies that others asked for and wrote.", bind(approve_source_plan)},
       {Method::kPost, "/api/v1/source-plans/{id}/apply", Scope::kPolicyWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Apply exactly the commit that was planned.", bind(apply_source_plan)},
       {Method::kGet, "/api/v1/gitops", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "Deployments as commits of GitOps repositories, newest first.", bind(gitops_status)},
       {Method::kPost, "/api/v1/gitops/retry", Scope::kReleasePromote, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Try again now what failed or waits.", bind(gitops_retry)}});
}

}  // namespace mlops::api
