// Lineage, the audit log, and integrity checks.
#include <cstdlib>

#include "core/base/text.h"
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

constexpr std::int64_t kDepthLimit = 1000;

Result<Response> lineage(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"ref", "direction", "depth", "as_of"}));
  domain::LineageQuestion question;
  question.ref = request.query_or("ref", "");
  const auto direction = request.query_or("direction", "up");
  if (direction != "up" && direction != "down") {
    return fail(ErrorCode::kInvalid, "bad_parameter", "`direction` must be up or down");
  }
  question.direction = direction == "up" ? meta::Direction::kUp : meta::Direction::kDown;
  const auto depth = parse_int(request.query_or("depth", "64"));
  if (!depth || *depth < 0 || *depth > kDepthLimit) {
    return fail(ErrorCode::kInvalid, "bad_parameter", "`depth` must be a number from 0 to 1000");
  }
  question.depth = static_cast<std::size_t>(*depth);
  MLOPS_ASSIGN(question.as_of_us, as_of(request));
  MLOPS_ASSIGN(const auto view, services.lineage.walk(question));
  return Response::json(200, wire::to_json(view));
}

Result<Response> list_audit(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"actor", "action", "target", "since", "until", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  audit::Filter filter;
  filter.actor = request.query_or("actor", "");
  filter.action = request.query_or("action", "");
  filter.target = request.query_or("target", "");
  MLOPS_ASSIGN(filter.since_us, time_param(request, "since"));
  MLOPS_ASSIGN(filter.until_us, time_param(request, "until"));
  const auto after = parse_int(request.query_or("after", "0"));
  if (!after || *after < 0) return fail(ErrorCode::kInvalid, "bad_parameter", "`after` must be an entry's number");
  filter.after_seq = *after;
  filter.limit = limit + 1;
  MLOPS_ASSIGN(const auto entries, services.integrity.audit_entries(filter));
  Json items = Json::array();
  for (const auto& entry : entries) items.push_back(entry);
  return Response::json(200, page(std::move(items), limit,
                                  [](const Json& last) { return std::to_string(last.at("seq").get<std::int64_t>()); }));
}

Result<Response> verify_audit(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto report, services.integrity.verify_audit());
  return Response::json(
      200, {{"ok", true}, {"entries", report.entries}, {"rows", report.rows}, {"head", "sha256:" + report.head}});
}

// A share of the objects, "0.05": above 0, up to 1.
Result<double> sample_of(const Request& request) {
  const std::string text(request.query_or("sample", "1"));
  char* end = nullptr;
  const double share = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(share > 0.0 && share <= 1.0)) {
    return fail(ErrorCode::kInvalid, "bad_parameter", "`sample` must be a share above 0 up to 1, such as 0.05");
  }
  return share;
}

Result<Response> fsck(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"read_data", "sample"}));
  domain::FsckOptions options;
  MLOPS_ASSIGN(options.sample, sample_of(request));
  const bool read_data = request.query_or("read_data", "0") == "1" || options.sample < 1.0;
  options.depth = read_data ? domain::FsckDepth::kReadData : domain::FsckDepth::kStructure;
  // Another choice each time, so that repeated samples come to everything.
  options.seed = static_cast<std::uint64_t>(services.store.clock().now_us());
  MLOPS_ASSIGN(const auto report, services.integrity.fsck(options));
  return Response::json(200, {{"ok", true},
                              {"versions", report.manifests},
                              {"packs", report.store.packs},
                              {"objects", report.store.objects},
                              {"bytes", report.store.raw_bytes},
                              {"stored_bytes", report.store.stored_bytes},
                              {"read_data", read_data},
                              {"sample", options.sample},
                              {"read_objects", report.read_objects},
                              {"read_bytes", report.read_bytes}});
}

}  // namespace

void add_audit_routes(const Services& s, Routes& routes) {
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kGet, "/api/v1/lineage", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Causes or effects of a version.", bind(lineage)},
                 {Method::kGet, "/api/v1/audit", Scope::kAuditRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Audit entries, oldest first.", bind(list_audit)},
                 {Method::kGet, "/api/v1/audit/verify", Scope::kAuditRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Recompute the chain and compare it with the state.", bind(verify_audit)},
                 {Method::kGet, "/api/v1/fsck", Scope::kAuditRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Check that every stored object is whole.", bind(fsck)}});
}

}  // namespace mlops::api
