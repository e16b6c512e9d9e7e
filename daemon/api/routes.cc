#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

// Described once from the rows, then served as text; the row of the description itself is part of it.
http::Handler openapi_handler(const Routes& routes) {
  return [text = openapi(routes).dump()](http::Request&) {
    http::Response response;
    response.body = text;
    return response;
  };
}

}  // namespace

Routes make_routes(const Services& services) {
  Routes routes;
  add_system_routes(services, routes);
  add_identity_routes(services, routes);
  add_blob_routes(services, routes);
  add_store_routes(services, routes);
  add_registry_routes(services, routes);
  add_compliance_routes(services, routes);
  add_promotion_routes(services, routes);
  add_change_control_routes(services, routes);
  add_rollout_routes(services, routes);
  add_delivery_routes(services, routes);
  add_decision_routes(services, routes);
  add_audit_routes(services, routes);
  add_backup_routes(services, routes);
  add_gc_routes(services, routes);
  add_retention_routes(services, routes);
  add_erasure_routes(services, routes);
  add_key_routes(services, routes);
  add_git_routes(services, routes);
  add_event_routes(services, routes);
  add_evidence_routes(services, routes);
  routes.push_back({http::Method::kGet,
                    "/openapi.json",
                    model::Scope::kPublic,
                    http::BodyMode::kNone,
                    0,
                    http::RunOn::kInline,
                    "This description.",
                    {}});
  routes.back().handler = openapi_handler(routes);
  return routes;
}

}  // namespace mlops::api
