// Decisions: tried out under a policy that is not applied, replayed under another one, shown and proved.
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/domain/decisions.h"

namespace mlops::api {
namespace {

Result<domain::Candidate> candidate_of(const Json& body) {
  domain::Candidate candidate;
  MLOPS_ASSIGN(candidate.yaml, require_string(body, "yaml"));
  MLOPS_ASSIGN(candidate.origin, optional_string(body, "origin", "policy.yaml"));
  return candidate;
}

Result<Response> eval_policy(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"yaml", "origin", "ref", "with", "environment", "reason"}));
  MLOPS_ASSIGN(const auto candidate, candidate_of(body));
  domain::PlanRequest wanted;
  MLOPS_ASSIGN(auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(wanted.environment, require_string(body, "environment"));
  MLOPS_ASSIGN(wanted.reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const auto with, string_list(body, "with"));
  wanted.refs.push_back(std::move(ref));
  wanted.refs.insert(wanted.refs.end(), with.begin(), with.end());
  MLOPS_TRY(services.provenance.prepare(wanted.refs));
  MLOPS_ASSIGN(const auto plan, services.decisions.eval(actor_of(request), wanted, candidate));
  return Response::json(200, wire::to_json(plan));
}

Json flip_json(const domain::Flip& flip) {
  Json gates = Json::array();
  for (const auto& gate : flip.gates) gates.push_back(model::to_json(gate));
  return {{"decision", flip.decision.id},       {"plan", flip.decision.plan_id},
          {"occasion", flip.decision.occasion}, {"environment", flip.decision.environment},
          {"target", flip.decision.target},     {"decided_at", format_rfc3339(flip.decision.decided_at_us)},
          {"before", flip.decision.verdict},    {"after", to_word(flip.after)},
          {"runs_now", flip.runs_now},          {"gates", std::move(gates)}};
}

Result<Response> replay_policy(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"yaml", "origin", "environment", "since", "everywhere"}));
  domain::ReplayRequest wanted;
  MLOPS_ASSIGN(wanted.candidate, candidate_of(body));
  MLOPS_ASSIGN(wanted.filter.environment, optional_string(body, "environment"));
  MLOPS_ASSIGN(const auto since, optional_string(body, "since"));
  if (!since.empty()) {
    const auto time = parse_rfc3339(since);
    if (!time) return fail(ErrorCode::kInvalid, "bad_field", "\"since\" must be a time such as 2026-01-31T00:00:00Z");
    wanted.filter.since_us = *time;
  }
  MLOPS_ASSIGN(const bool everywhere, optional_bool(body, "everywhere", false));
  if (everywhere) wanted.reach = domain::ReplayRequest::Reach::kEverywhere;
  MLOPS_ASSIGN(const auto replay, services.decisions.replay(wanted));
  Json flips = Json::array();
  for (const auto& flip : replay.flips) flips.push_back(flip_json(flip));
  return Response::json(200, {{"policy", replay.policy},
                              {"digest", replay.digest},
                              {"decisions", replay.decisions},
                              {"governed", replay.governed},
                              {"flips", std::move(flips)}});
}

Result<Response> verify_decisions(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"environment"}));
  meta::DecisionFilter filter;
  filter.environment = request.query_or("environment", "");
  MLOPS_ASSIGN(const auto proof, services.decisions.verify(filter));
  return Response::json(200, {{"decisions", proof.decisions}, {"differing", proof.differing}});
}

Result<Response> show_decision(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto record, services.decisions.show(request.params[0]));
  return Response::json(200, record);
}

}  // namespace

void add_decision_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(
      routes.end(),
      {{Method::kPost, "/api/v1/decisions/eval", Scope::kReleasePlan, BodyMode::kBuffered, limit, RunOn::kWorker,
        "What every gate would say under a policy that is not applied.", bind(eval_policy)},
       {Method::kPost, "/api/v1/decisions/replay", Scope::kReleasePlan, BodyMode::kBuffered, limit, RunOn::kWorker,
        "Run a policy over the facts of past decisions and list what flips.", bind(replay_policy)},
       {Method::kGet, "/api/v1/decisions/verify", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "Decide every stored decision again and compare the bytes.", bind(verify_decisions)},
       {Method::kGet, "/api/v1/plans/{id}/decision", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "The decision record of a plan, with its facts.", bind(show_decision)}});
}

}  // namespace mlops::api
