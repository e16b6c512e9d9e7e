// The route table of the native API: every row of docs/format/wire.md, each with its scope.
#pragma once

#include <vector>

#include "daemon/api/services.h"
#include "daemon/http/route.h"

namespace mlops::api {

// REQUIRES: `services` outlives the routes.
std::vector<http::Route> make_routes(const Services& services);

using Routes = std::vector<http::Route>;
void add_system_routes(const Services& services, Routes& routes);
void add_identity_routes(const Services& services, Routes& routes);
void add_blob_routes(const Services& services, Routes& routes);
void add_store_routes(const Services& services, Routes& routes);
void add_registry_routes(const Services& services, Routes& routes);
void add_compliance_routes(const Services& services, Routes& routes);
void add_promotion_routes(const Services& services, Routes& routes);
void add_change_control_routes(const Services& services, Routes& routes);
void add_rollout_routes(const Services& services, Routes& routes);
void add_delivery_routes(const Services& services, Routes& routes);
void add_decision_routes(const Services& services, Routes& routes);
void add_audit_routes(const Services& services, Routes& routes);
void add_backup_routes(const Services& services, Routes& routes);
void add_gc_routes(const Services& services, Routes& routes);
void add_retention_routes(const Services& services, Routes& routes);
void add_erasure_routes(const Services& services, Routes& routes);
void add_key_routes(const Services& services, Routes& routes);
void add_git_routes(const Services& services, Routes& routes);
void add_event_routes(const Services& services, Routes& routes);
void add_evidence_routes(const Services& services, Routes& routes);

// OpenAPI 3.1 of the rows.
Json openapi(const Routes& routes);

}  // namespace mlops::api
