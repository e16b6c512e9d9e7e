// Evidence gates ask for: signatures over versions, measurements of datasets.
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json signed_json(const domain::SignedVersion& signed_version) {
  const auto& version = signed_version.version;
  Json signatures = Json::array();
  for (const auto& one : signed_version.signatures) {
    Json item = {{"key", one.row.key_id},          {"public_key", one.row.public_key},
                 {"by", one.row.principal_name},   {"roles", one.row.roles},
                 {"signature", one.row.signature}, {"at", format_rfc3339(one.row.created_at_us)}};
    if (!one.void_because.empty()) item["void_because"] = one.void_because;
    signatures.push_back(std::move(item));
  }
  return {{"ref", version.ref()},
          {"kind", to_word(version.kind)},
          {"digest", version.digest.to_string()},
          {"signatures", std::move(signatures)}};
}

Result<Response> sign_version(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"key", "signature", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::SignRequest wanted;
  wanted.ref = request.params[0];
  MLOPS_ASSIGN(wanted.key_id, require_string(body, "key"));
  MLOPS_ASSIGN(wanted.signature, require_string(body, "signature"));
  MLOPS_ASSIGN(const auto signed_version, services.signatures.sign(actor_of(request), wanted, commit));
  return answer(201, signed_json(signed_version), commit);
}

Result<Response> list_signatures(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto signed_version, services.signatures.show(request.params[0]));
  return Response::json(200, signed_json(signed_version));
}

Result<Response> profile(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "with", "environment"}));
  domain::PlanRequest wanted;
  MLOPS_ASSIGN(auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(wanted.environment, require_string(body, "environment"));
  MLOPS_ASSIGN(wanted.refs, string_list(body, "with"));
  wanted.refs.insert(wanted.refs.begin(), std::move(ref));
  MLOPS_ASSIGN(auto measured, services.promotion.profile(actor_of(request), wanted));
  return Response::json(200, whole(std::move(measured)));
}

}  // namespace

void add_evidence_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(), {{Method::kPost, "/api/v1/versions/{ref}/signatures", Scope::kSelf, BodyMode::kBuffered,
                                limit, RunOn::kWorker, "Sign a version with a registered key.", bind(sign_version)},
                               {Method::kGet, "/api/v1/versions/{ref}/signatures", Scope::kRead, BodyMode::kNone, 0,
                                RunOn::kWorker, "Signatures over a version.", bind(list_signatures)},
                               {Method::kPost, "/api/v1/profiles", Scope::kReleasePlan, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Measure the data that gates ask about.", bind(profile)}});
}

}  // namespace mlops::api
