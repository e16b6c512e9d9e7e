// Plans, approvals, promotions, rollbacks; what runs and what ran.
#include <algorithm>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Result<domain::PlanRequest> read_plan_request(const Json& body) {
  domain::PlanRequest wanted;
  MLOPS_ASSIGN(auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(wanted.environment, require_string(body, "environment"));
  MLOPS_ASSIGN(wanted.reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(wanted.is_break_glass, optional_bool(body, "break_glass", false));
  MLOPS_ASSIGN(wanted.accepts_rejected, optional_bool(body, "even_rejected", false));
  MLOPS_ASSIGN(const auto with, string_list(body, "with"));
  wanted.refs.push_back(std::move(ref));
  wanted.refs.insert(wanted.refs.end(), with.begin(), with.end());
  if (wanted.refs.size() > 64)
    return fail(ErrorCode::kExhausted, "too_many_entries", "a release has at most 64 members");
  return wanted;
}

// From the header that proxies and clients know, or from the body.
Result<std::string> idempotency_key(const Request& request, const Json& body) {
  MLOPS_ASSIGN(auto key, optional_string(body, "idempotency_key"));
  const auto header = request.headers.find("idempotency-key");
  if (key.empty() && header != request.headers.end()) key = header->second;
  return key;
}

Result<Response> create_plan(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "with", "environment", "reason", "break_glass",
                                                    "even_rejected", "idempotency_key"}));
  MLOPS_ASSIGN(auto wanted, read_plan_request(body));
  MLOPS_ASSIGN(wanted.idempotency_key, idempotency_key(request, body));
  MLOPS_TRY(services.provenance.prepare(wanted.refs));
  MLOPS_ASSIGN(const auto plan, services.promotion.plan(actor_of(request), wanted));
  return Response::json(201, wire::to_json(plan));
}

Result<Response> list_plans(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"state", "environment", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::PlanFilter filter;
  filter.state = request.query_or("state", "");
  filter.environment = request.query_or("environment", "");
  filter.after_id = request.query_or("after", "");
  filter.limit = limit + 1;
  MLOPS_ASSIGN(const auto plans, services.promotion.list_plans(filter));
  Json items = Json::array();
  for (const auto& plan : plans) items.push_back(wire::to_json(plan));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> show_plan(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto plan, services.promotion.get_plan(request.params[0]));
  return Response::json(200, wire::to_json(plan));
}

Result<Response> decide(const Services& services, Request& request, domain::ApprovalRequest::Decision decision) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "meaning", "key", "signature", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::ApprovalRequest wanted;
  wanted.plan_id = request.params[0];
  wanted.decision = decision;
  MLOPS_ASSIGN(wanted.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(wanted.meaning, optional_string(body, "meaning"));
  MLOPS_ASSIGN(wanted.key_id, optional_string(body, "key"));
  MLOPS_ASSIGN(wanted.signature, optional_string(body, "signature"));
  if (trim(wanted.reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "a decision needs a reason", "give --reason");
  }
  MLOPS_ASSIGN(const auto plan, services.promotion.decide(actor_of(request), wanted, commit));
  return answer(200, wire::to_json(plan), commit);
}

Result<Response> approve(const Services& services, Request& request) {
  return decide(services, request, domain::ApprovalRequest::Decision::kApprove);
}

Result<Response> reject(const Services& services, Request& request) {
  return decide(services, request, domain::ApprovalRequest::Decision::kReject);
}

Result<Response> withdraw(const Services& services, Request& request) {
  return decide(services, request, domain::ApprovalRequest::Decision::kWithdraw);
}

constexpr const char* kSaidByPlan[] = {"ref",         "with",          "environment",    "reason",
                                       "break_glass", "even_rejected", "idempotency_key"};

Result<Response> promote(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"plan", "ref", "with", "environment", "reason", "break_glass",
                                                    "even_rejected", "idempotency_key", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto plan_id, optional_string(body, "plan"));
  if (plan_id.empty()) {
    MLOPS_ASSIGN(auto wanted, read_plan_request(body));
    MLOPS_ASSIGN(wanted.idempotency_key, idempotency_key(request, body));
    MLOPS_TRY(services.provenance.prepare(wanted.refs));
    MLOPS_ASSIGN(const auto view, services.promotion.promote(actor_of(request), wanted, commit));
    return answer(200, wire::to_json(view), commit);
  }
  const bool says_more =
      std::any_of(std::begin(kSaidByPlan), std::end(kSaidByPlan), [&](const char* key) { return body.contains(key); });
  if (says_more) {
    return fail(ErrorCode::kInvalid, "bad_field", "a plan already says what moves where, and why",
                "give either `plan`, or `ref` and `environment`");
  }
  MLOPS_TRY(services.provenance.prepare_plan(plan_id));
  MLOPS_ASSIGN(const auto view, services.promotion.promote_plan(actor_of(request), plan_id, commit));
  return answer(200, wire::to_json(view), commit);
}

// "v3", "r3" or "3" → 3.
Result<std::int64_t> read_version_number(const std::string& text) {
  if (text.empty()) return 0;
  const auto number =
      parse_int(text.front() == 'v' || text.front() == 'r' ? std::string_view(text).substr(1) : std::string_view(text));
  if (!number || *number < 1) {
    return fail(ErrorCode::kInvalid, "bad_field",
                "\"to\" must be a version number such as v3, or r3 of a named release");
  }
  return *number;
}

Result<Response> rollback(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body,
               body_with(request, {"name", "environment", "to", "reason", "overrides", "idempotency_key", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::RollbackRequest wanted;
  MLOPS_ASSIGN(wanted.name, require_string(body, "name"));
  MLOPS_ASSIGN(wanted.environment, require_string(body, "environment"));
  MLOPS_ASSIGN(const auto to, optional_string(body, "to"));
  MLOPS_ASSIGN(wanted.to_number, read_version_number(to));
  MLOPS_ASSIGN(wanted.reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(wanted.overrides, string_list(body, "overrides"));
  MLOPS_ASSIGN(wanted.idempotency_key, idempotency_key(request, body));
  MLOPS_ASSIGN(const auto view, services.promotion.rollback(actor_of(request), wanted, commit));
  return answer(200, wire::to_json(view), commit);
}

Result<Response> deployments(const Services& services, Request& request, bool running_only) {
  MLOPS_TRY(only_known_params(request, {"environment", "name", "by", "limit", "after", "as_of"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::DeploymentFilter filter;
  filter.running_only = running_only;
  filter.environment = request.query_or("environment", "");
  if (!filter.environment.empty()) {
    // A name that was never declared is an error, not an empty answer.
    MLOPS_TRY(services.store.read<domain::EnvironmentRevision>(
        [&](sql::Connection& connection) { return services.compliance.environment(connection, filter.environment); }));
  }
  filter.name = request.query_or("name", "");
  filter.after_id = request.query_or("after", "");
  filter.limit = limit + 1;
  filter.created_by = request.query_or("by", "");
  MLOPS_ASSIGN(const auto valid_at, time_param(request, "as_of"));
  MLOPS_ASSIGN(const auto known_at, time_param(request, "known_at"));
  if (valid_at) filter.as_of_us = std::max<TimestampUs>(*valid_at, 1);
  if (known_at) filter.known_at_us = std::max<TimestampUs>(*known_at, 1);
  MLOPS_ASSIGN(const auto views, services.promotion.deployments(filter));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(wire::to_json(view));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> correct(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"started_at", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  meta::Correction wanted;
  wanted.deployment_id = request.params[0];
  MLOPS_ASSIGN(const auto started_at, require_string(body, "started_at"));
  MLOPS_ASSIGN(wanted.valid_from_us, parse_rfc3339(started_at));
  MLOPS_ASSIGN(wanted.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.promotion.correct(actor_of(request), wanted, commit));
  return answer(200, wire::to_json(view), commit);
}

Result<Response> status(const Services& services, Request& request) {
  return deployments(services, request, true);
}
Result<Response> history(const Services& services, Request& request) {
  return deployments(services, request, false);
}

}  // namespace

void add_promotion_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(
      routes.end(),
      {{Method::kPost, "/api/v1/plans", Scope::kReleasePlan, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Evaluate every gate for a move.", bind(create_plan)},
       {Method::kGet, "/api/v1/plans", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker, "Plans, newest first.",
        bind(list_plans)},
       {Method::kGet, "/api/v1/plans/{id}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "One plan; an open one as it would be decided now.", bind(show_plan)},
       {Method::kPost, "/api/v1/plans/{id}/approve", Scope::kReleaseApprove, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Approve a plan of somebody else.", bind(approve)},
       {Method::kPost, "/api/v1/plans/{id}/reject", Scope::kReleaseApprove, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Reject a plan of somebody else.", bind(reject)},
       {Method::kPost, "/api/v1/plans/{id}/withdraw", Scope::kReleaseApprove, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Withdraw one's own approval of an open plan.", bind(withdraw)},
       {Method::kPost, "/api/v1/promotions", Scope::kReleasePromote, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Promote a release, or refuse with reasons.", bind(promote)},
       {Method::kPost, "/api/v1/rollbacks", Scope::kReleasePromote, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Go back to a release that ran before.", bind(rollback)},
       {Method::kPost, "/api/v1/deployments/{id}/correct", Scope::kEnvironmentWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Correct when a deployment began; what was believed before is kept.", bind(correct)},
       {Method::kGet, "/api/v1/status", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "What runs where, now or at a moment.", bind(status)},
       {Method::kGet, "/api/v1/history", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "What ran where, newest first.", bind(history)}});
}

}  // namespace mlops::api
