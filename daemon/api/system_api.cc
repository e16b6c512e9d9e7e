// Health, version, metrics and the API's own description.
#include "core/base/build_info.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {

void add_system_routes(const Services& services, Routes& routes) {
  const auto alive = [](Request&) { return Response::json(200, {{"status", "ok"}}); };
  const auto ready = [&services](Request&) {
    if (services.is_ready()) return Response::json(200, {{"status", "ok"}});
    return Response::json(503, {{"status", "not ready"}});
  };
  const auto version = [](Request&) {
    return Response::json(200, {{"name", "mlopsd"}, {"version", kVersion}, {"commit", kCommit}, {"api", "v1"}});
  };
  const auto metrics = [&services](Request&) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = services.metrics_text();
    return response;
  };
  routes.insert(
      routes.end(),
      {{Method::kGet, "/livez", Scope::kPublic, BodyMode::kNone, 0, RunOn::kInline, "Is the process alive?", alive},
       {Method::kGet, "/readyz", Scope::kPublic, BodyMode::kNone, 0, RunOn::kInline, "Does it take requests?", ready},
       {Method::kGet, "/version", Scope::kPublic, BodyMode::kNone, 0, RunOn::kInline,
        "Name, version and commit of the daemon.", version},
       {Method::kGet, "/metrics", Scope::kMetricsRead, BodyMode::kNone, 0, RunOn::kWorker,
        "Metrics in the Prometheus text format.", metrics}});
}

}  // namespace mlops::api
