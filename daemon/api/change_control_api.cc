// Named releases, reviews after break-glass, what environments reject, and people's signing keys.
#include "core/base/text.h"
#include "core/model/reference.h"
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Result<Response> create_release(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "members", "policies", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::NewRelease wanted;
  MLOPS_ASSIGN(wanted.name, require_string(body, "name"));
  MLOPS_ASSIGN(wanted.policies, string_list(body, "policies"));
  const auto bad = [] { return fail(ErrorCode::kInvalid, "bad_field", "`members` is a list of {\"role\", \"ref\"}"); };
  if (!body.contains("members") || !body.at("members").is_array()) return bad();
  for (const auto& item : body.at("members")) {
    if (!item.is_object()) return bad();
    MLOPS_TRY(only_known_fields(item, {"role", "ref"}));
    MLOPS_ASSIGN(auto role, require_string(item, "role"));
    MLOPS_ASSIGN(auto ref, require_string(item, "ref"));
    wanted.members.emplace_back(std::move(role), std::move(ref));
  }
  MLOPS_ASSIGN(const auto made, services.promotion.create_release(actor_of(request), wanted, commit));
  return answer(made.is_new ? 201 : 200, {{"created", made.is_new}, {"release", wire::to_json(made.view)}}, commit);
}

Result<Response> list_releases(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"name", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::ReleaseFilter filter{std::string(request.query_or("name", "")), std::string(request.query_or("after", "")),
                             limit + 1};
  MLOPS_ASSIGN(const auto releases, services.promotion.list_releases(filter));
  Json items = Json::array();
  for (const auto& release : releases) {
    items.push_back(wire::to_json(release));
    items.back()["id"] = release.id;
  }
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> show_release(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto reference, model::parse_release_reference(request.params[0]));
  MLOPS_ASSIGN(const auto release, services.promotion.show_release(reference.name, reference.number));
  return Response::json(200, wire::to_json(release));
}

Result<Response> list_reviews(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"environment", "open"}));
  const auto open = request.query_or("open", "0");
  if (open != "0" && open != "1") return fail(ErrorCode::kInvalid, "bad_parameter", "\"open\" is 1 or 0");
  const meta::ReviewFilter filter{std::string(request.query_or("environment", "")), open == "1"};
  MLOPS_ASSIGN(const auto reviews, services.promotion.list_reviews(filter));
  Json items = Json::array();
  for (const auto& review : reviews) items.push_back(wire::to_json(review));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> close_review(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"outcome", "note", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::ReviewRequest wanted;
  wanted.deployment_id = request.params[0];
  MLOPS_ASSIGN(wanted.outcome, require_string(body, "outcome"));
  MLOPS_ASSIGN(wanted.note, require_string(body, "note"));
  if (trim(wanted.note).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "a review needs a note", "say what was looked at");
  }
  MLOPS_ASSIGN(const auto review, services.promotion.close_review(actor_of(request), wanted, commit));
  return answer(200, wire::to_json(review), commit);
}

Result<Response> list_rejections(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  const auto& environment = request.params[0];
  using Rows = std::vector<meta::RejectionRow>;
  MLOPS_ASSIGN(const auto rows, services.store.read<Rows>([&](sql::Connection& connection) -> Result<Rows> {
    MLOPS_TRY(services.compliance.environment(connection, environment));
    return meta::list_rejections(connection, environment);
  }));
  Json items = Json::array();
  for (const auto& row : rows) {
    items.push_back({{"release", row.release_name},
                     {"number", row.release_number},
                     {"deployment", row.deployment_id},
                     {"by", row.rejected_by},
                     {"reason", row.reason},
                     {"since", format_rfc3339(row.valid_from_us)}});
  }
  return Response::json(200, whole(std::move(items)));
}

Json to_json(const meta::SigningKeyRow& row) {
  return {{"id", row.id},
          {"principal", row.principal_name},
          {"name", row.name},
          {"public_key", row.public_key},
          {"created_at", format_rfc3339(row.created_at_us)},
          {"expires_at", time_or_null(row.expires_at_us)},
          {"revoked_at", time_or_null(row.revoked_at_us)},
          {"revoked_reason", row.revoked_reason}};
}

Result<Response> list_signing_keys(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto rows, services.signing_keys.list());
  Json items = Json::array();
  for (const auto& row : rows) items.push_back(to_json(row));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> add_signing_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"principal", "name", "public_key", "expires_in_s", "possession",
                                                    "signed_by", "proof", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  constexpr std::int64_t kMostSeconds = std::int64_t{100} * 366 * 24 * 3600;
  domain::NewSigningKey wanted;
  MLOPS_ASSIGN(wanted.public_key, require_string(body, "public_key"));
  MLOPS_ASSIGN(wanted.principal, optional_string(body, "principal"));
  MLOPS_ASSIGN(wanted.name, optional_string(body, "name"));
  MLOPS_ASSIGN(wanted.expires_in_s, optional_int(body, "expires_in_s", 0, 0, kMostSeconds));
  MLOPS_ASSIGN(wanted.possession, optional_string(body, "possession"));
  MLOPS_ASSIGN(wanted.signed_by, optional_string(body, "signed_by"));
  MLOPS_ASSIGN(wanted.proof, optional_string(body, "proof"));
  MLOPS_ASSIGN(const auto row, services.signing_keys.add(actor_of(request), wanted, commit));
  return answer(201, to_json(row), commit);
}

Result<Response> revoke_signing_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto row, services.signing_keys.revoke(actor_of(request), request.params[0], reason, commit));
  return answer(200, to_json(row), commit);
}

}  // namespace

void add_change_control_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/releases", Scope::kReleasePlan, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Make a release with a name of its own.", bind(create_release)},
                 {Method::kGet, "/api/v1/releases", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Named releases, newest first.", bind(list_releases)},
                 {Method::kGet, "/api/v1/releases/{ref}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "One named release with its members.", bind(show_release)},
                 {Method::kGet, "/api/v1/reviews", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Break-glass promotions and their reviews.", bind(list_reviews)},
                 {Method::kPost, "/api/v1/reviews/{deployment}", Scope::kReleaseApprove, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Review a break-glass promotion of somebody else.", bind(close_review)},
                 {Method::kGet, "/api/v1/environments/{name}/rejected", Scope::kRead, BodyMode::kNone, 0,
                  RunOn::kWorker, "Releases the environment was rolled back from.", bind(list_rejections)},
                 {Method::kGet, "/api/v1/signing-keys", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "People's signing keys.", bind(list_signing_keys)},
                 {Method::kPost, "/api/v1/signing-keys", Scope::kSelf, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Register a signing key.", bind(add_signing_key)},
                 {Method::kDelete, "/api/v1/signing-keys/{id}", Scope::kSelf, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Revoke a signing key.", bind(revoke_signing_key)}});
}

}  // namespace mlops::api
