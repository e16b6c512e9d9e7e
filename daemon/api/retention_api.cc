// Holds and retention rules.
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

constexpr std::int64_t kLongestS = 200ll * 366 * 86400;

Json to_json(const domain::HoldView& view) {
  const auto& row = view.row;
  Json released = nullptr;
  if (row.released_at_us) {
    released = {{"at", format_rfc3339(*row.released_at_us)}, {"by", row.released_by}, {"reason", row.released_reason}};
  }
  return {{"id", row.id},
          {"ref", view.ref},
          {"deleted_at", time_or_null(view.deleted_at_us)},
          {"case", row.case_id},
          {"reason", row.reason},
          {"placed_at", format_rfc3339(row.placed_at_us)},
          {"placed_by", row.placed_by},
          {"released", std::move(released)}};
}

Json to_json(const meta::RetentionRule& rule) {
  return {{"subject", rule.subject},
          {"keep_s", rule.keep_s},
          {"set_at", format_rfc3339(rule.valid_from_us)},
          {"set_by", rule.set_by}};
}

Result<Response> list_holds(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"all"}));
  const bool all = request.query_or("all", "0") == "1";
  MLOPS_ASSIGN(const auto views, services.retention.holds(all ? meta::HoldsShown::kAll : meta::HoldsShown::kOpen));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(to_json(view));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> add_hold(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "case", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::HoldWish wish;
  MLOPS_ASSIGN(wish.ref, require_string(body, "ref"));
  MLOPS_ASSIGN(wish.case_id, require_string(body, "case"));
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.retention.hold(actor_of(request), wish, commit));
  auto json = to_json(view);
  json["whole"] = view.is_whole;
  json["restored_runs"] = view.restored_runs;
  return answer(201, std::move(json), commit);
}

Result<Response> release_hold(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.retention.release(actor_of(request), request.params[0], reason, commit));
  return answer(200, to_json(view), commit);
}

Result<Response> list_rules(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto rules, services.retention.rules());
  Json items = Json::array();
  for (const auto& rule : rules) items.push_back(to_json(rule));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> set_rule(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"subject", "keep_s", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto subject, require_string(body, "subject"));
  MLOPS_ASSIGN(const auto keep_s, optional_int(body, "keep_s", 0, 1, kLongestS));
  if (keep_s == 0) return fail(ErrorCode::kInvalid, "missing_field", "\"keep_s\" says for how many seconds");
  MLOPS_ASSIGN(const auto reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const auto rule, services.retention.set_rule(actor_of(request), subject, keep_s, reason, commit));
  return answer(200, to_json(rule), commit);
}

Result<Response> remove_rule(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"subject", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto subject, require_string(body, "subject"));
  MLOPS_ASSIGN(const auto reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const auto rule, services.retention.remove_rule(actor_of(request), subject, reason, commit));
  return answer(200, to_json(rule), commit);
}

}  // namespace

void add_retention_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kGet, "/api/v1/holds", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Holds, newest first.", bind(list_holds)},
                 {Method::kPost, "/api/v1/holds", Scope::kHoldWrite, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Put a version under a hold.", bind(add_hold)},
                 {Method::kPost, "/api/v1/holds/{id}/release", Scope::kHoldWrite, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Release a hold; its row stays.", bind(release_hold)},
                 {Method::kGet, "/api/v1/retention", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Retention rules in force.", bind(list_rules)},
                 {Method::kPut, "/api/v1/retention", Scope::kStoreAdmin, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Set how long a kind's or an environment's deleted versions are kept.", bind(set_rule)},
                 {Method::kDelete, "/api/v1/retention", Scope::kStoreAdmin, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Remove a retention rule.", bind(remove_rule)}});
}

}  // namespace mlops::api
