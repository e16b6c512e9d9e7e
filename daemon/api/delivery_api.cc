// How far releases have come to the directories their environments name.
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json to_json(const domain::DeliveryView& view) {
  const auto& row = view.row;
  return {{"deployment", row.deployment_id},
          {"environment", row.environment},
          {"ref", view.deployment_ref},
          {"place", row.place},
          {"layout", view.layout},
          {"state", row.state},
          {"since", format_rfc3339(row.since_us)},
          {"running_since", format_rfc3339(view.running_since_us)},
          {"attempts", row.attempts},
          {"error", row.error},
          {"message", row.message},
          {"next_attempt_at", time_or_null(row.next_attempt_at_us)},
          {"delivered_at", time_or_null(row.delivered_at_us)},
          {"verified_at", time_or_null(row.verified_at_us)}};
}

Response listed(const std::vector<domain::DeliveryView>& views) {
  Json items = Json::array();
  for (const auto& view : views) items.push_back(to_json(view));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> list_deliveries(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"environment"}));
  MLOPS_ASSIGN(const auto views, services.delivery.list(std::string(request.query_or("environment", ""))));
  return listed(views);
}

Result<Response> verify_deliveries(const Services& services, Request& request) {
  MLOPS_TRY(body_with(request, {}));
  MLOPS_ASSIGN(const auto views, services.delivery.verify(request.params[0]));
  return listed(views);
}

Result<Response> retry_deliveries(const Services& services, Request& request) {
  MLOPS_TRY(body_with(request, {}));
  MLOPS_ASSIGN(const auto views, services.delivery.retry(request.params[0]));
  return listed(views);
}

}  // namespace

void add_delivery_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(
      routes.end(),
      {{Method::kGet, "/api/v1/deliveries", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
        "How far running releases have come to their directories.", bind(list_deliveries)},
       {Method::kPost, "/api/v1/deliveries/{environment}/verify", Scope::kEnvironmentWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Read delivered files back and compare.", bind(verify_deliveries)},
       {Method::kPost, "/api/v1/deliveries/{environment}/retry", Scope::kEnvironmentWrite, BodyMode::kBuffered, limit,
        RunOn::kWorker, "Try failed deliveries at once.", bind(retry_deliveries)}});
}

}  // namespace mlops::api
