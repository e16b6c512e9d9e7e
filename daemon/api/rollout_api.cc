// Promotions to several environments in waves.
#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json rollout_json(const meta::RolloutRow& row) {
  return Json{{"id", row.id},
              {"state", row.state},
              {"state_reason", text_or_null(row.state_reason)},
              {"to", row.selector},
              {"refs", row.refs},
              {"even_rejected", row.accepts_rejected},
              {"reason", row.reason},
              {"waves", row.waves},
              {"pause", row.pause_s < 0 ? Json("manual") : Json(std::to_string(row.pause_s) + "s")},
              {"on_failure", row.on_failure},
              {"created_by", row.created_by},
              {"created_at", format_rfc3339(row.created_at_us)},
              {"changed_at", format_rfc3339(row.changed_at_us)},
              {"resume_at", time_or_null(row.resume_at_us)}};
}

Json rollout_json(const domain::RolloutView& view) {
  auto json = rollout_json(view.row);
  json["steps"] = Json::array();
  for (const auto& step : view.steps) {
    json["steps"].push_back({{"wave", step.wave},
                             {"environment", step.environment},
                             {"state", step.state},
                             {"plan", text_or_null(step.plan_id)},
                             {"deployment", text_or_null(step.deployment_id)},
                             {"detail", text_or_null(step.detail)},
                             {"changed_at", format_rfc3339(step.changed_at_us)}});
  }
  return json;
}

// "manual", "10m"; empty: none.
Result<std::int64_t> pause_of(const std::string& text) {
  if (text.empty()) return 0;
  if (text == "manual") return -1;
  return parse_duration_s(text);
}

Result<domain::RolloutRequest> read_rollout(const Json& body) {
  domain::RolloutRequest wanted;
  MLOPS_ASSIGN(auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(const auto with, string_list(body, "with"));
  MLOPS_ASSIGN(wanted.selector, require_string(body, "to"));
  MLOPS_ASSIGN(wanted.reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(wanted.waves, string_list(body, "wave"));
  MLOPS_ASSIGN(const auto count, optional_string(body, "waves"));
  MLOPS_ASSIGN(const auto pause, optional_string(body, "pause"));
  MLOPS_ASSIGN(wanted.pause_s, pause_of(pause));
  MLOPS_ASSIGN(const auto on_failure, optional_string(body, "on_failure", "stop"));
  wanted.refs.push_back(std::move(ref));
  wanted.refs.insert(wanted.refs.end(), with.begin(), with.end());
  if (wanted.refs.size() > 64)
    return fail(ErrorCode::kExhausted, "too_many_entries", "a release has at most 64 members");
  if (on_failure != "stop" && on_failure != "rollback") {
    return fail(ErrorCode::kInvalid, "bad_field", "\"on_failure\" is stop or rollback");
  }
  wanted.rollback_on_failure = on_failure == "rollback";
  MLOPS_ASSIGN(wanted.accepts_rejected, optional_bool(body, "even_rejected", false));
  if (count.empty()) return wanted;
  const auto number = parse_int(count);
  if (!number || *number < 1)
    return fail(ErrorCode::kInvalid, "bad_waves", "\"waves\" is the number of waves, for example \"2\"");
  wanted.wave_count = *number;
  return wanted;
}

Result<Response> start_rollout(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "with", "to", "reason", "wave", "waves", "pause",
                                                    "on_failure", "even_rejected", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto wanted, read_rollout(body));
  MLOPS_ASSIGN(const auto view, services.rollouts.start(actor_of(request), wanted, commit));
  return answer(commit == meta::Commit::kKeep ? 201 : 200, rollout_json(view), commit);
}

Result<Response> list_rollouts(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"state", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  MLOPS_ASSIGN(const auto rows, services.rollouts.list({.state = std::string(request.query_or("state", "")),
                                                        .after_id = std::string(request.query_or("after", "")),
                                                        .limit = limit + 1}));
  Json items = Json::array();
  for (const auto& row : rows) items.push_back(rollout_json(row));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> show_rollout(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto view, services.rollouts.get(request.params[0]));
  return Response::json(200, rollout_json(view));
}

Result<Response> continue_rollout(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto view, services.rollouts.go_on(actor_of(request), request.params[0], commit));
  return answer(200, rollout_json(view), commit);
}

Result<Response> stop_rollout(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  if (trim(reason).empty())
    return fail(ErrorCode::kInvalid, "reason_needed", "stopping needs a reason", "give --reason");
  MLOPS_ASSIGN(const auto view, services.rollouts.stop(actor_of(request), request.params[0], reason, commit));
  return answer(200, rollout_json(view), commit);
}

}  // namespace

void add_rollout_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/rollouts", Scope::kReleasePromote, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Promote to every environment a selector chooses, in waves.", bind(start_rollout)},
                 {Method::kGet, "/api/v1/rollouts", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Rollouts, newest first.", bind(list_rollouts)},
                 {Method::kGet, "/api/v1/rollouts/{id}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "One rollout with its steps.", bind(show_rollout)},
                 {Method::kPost, "/api/v1/rollouts/{id}/continue", Scope::kReleasePromote, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Go on after a pause.", bind(continue_rollout)},
                 {Method::kPost, "/api/v1/rollouts/{id}/stop", Scope::kReleasePromote, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Stop; what has not begun is skipped.", bind(stop_rollout)}});
}

}  // namespace mlops::api
