// Keys of masking, and the way back from what was masked with them. Key bytes never leave the domain.
#include "core/model/names.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json to_json(const meta::MaskKeyRow& row) {
  return {{"id", row.id},
          {"name", row.name},
          {"version", row.version},
          {"state", row.state},
          {"origin", row.origin},
          {"purpose", row.purpose},
          {"check", row.check_digits},
          {"created_at", format_rfc3339(row.created_at_us)},
          {"created_by", row.created_by},
          {"changed_at", format_rfc3339(row.changed_at_us)},
          {"changed_by", row.changed_by},
          {"reason", row.reason}};
}

Result<Response> list_keys(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  Json items = Json::array();
  for (const auto& row : services.compliance.keys().keys()) items.push_back(to_json(row));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> create_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "purpose", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::KeyRing::Wish wish;
  MLOPS_ASSIGN(wish.name, require_string(body, "name"));
  MLOPS_ASSIGN(wish.purpose, optional_string(body, "purpose"));
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto row, services.compliance.keys().create(actor_of(request), wish, commit));
  return answer(201, to_json(row), commit);
}

// Of a change that may take tokens over; those of runs that are done are in the vault's table before.
Result<domain::KeyRing::Wish> wish_of(const Services& services, const Json& body, const std::string& name) {
  domain::KeyRing::Wish wish;
  wish.name = name;
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const bool reseal, optional_bool(body, "reseal", false));
  if (reseal) wish.tokens = domain::KeyRing::Wish::Tokens::kReseal;
  MLOPS_TRY(services.compliance.vault().flush());
  return wish;
}

Result<Response> rotate_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "reseal", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto wish, wish_of(services, body, request.params[0]));
  MLOPS_ASSIGN(const auto rotated, services.compliance.keys().rotate(actor_of(request), wish, commit));
  auto json = to_json(rotated.row);
  json["resealed"] = rotated.resealed;
  return answer(200, std::move(json), commit);
}

Result<Response> destroy_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "reseal", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto wish, wish_of(services, body, request.params[0]));
  MLOPS_ASSIGN(const auto destroyed, services.compliance.keys().destroy(actor_of(request), wish, commit));
  auto json = to_json(destroyed.row);
  json["derivable"] = destroyed.is_derivable;
  json["tokens"] = destroyed.tokens;
  json["resealed"] = destroyed.resealed;
  return answer(200, std::move(json), commit);
}

// Who may not reveal is refused whatever the body is; of it, what can be read goes on record.
Result<Response> refuse_reveal(const Services& services, Request& request) {
  domain::RevealWish wish;
  if (const auto body = request.json(); body && body->is_object()) {
    wish.ref = optional_string(*body, "ref").value_or("");
    const auto reason = optional_string(*body, "reason").value_or("");
    if (model::check_free_text(reason, "reason")) wish.reason = reason;
  }
  return fail(services.reveals.reveal(actor_of(request), wish).error());
}

// One line of JSON, then the file.
Result<Response> reveal(const Services& services, Request& request) {
  if (!request.principal.has(Scope::kDataReveal)) return refuse_reveal(services, request);
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "path", "columns", "reason"}));
  domain::RevealWish wish;
  MLOPS_ASSIGN(wish.ref, require_string(body, "ref"));
  MLOPS_ASSIGN(wish.path, optional_string(body, "path"));
  MLOPS_ASSIGN(wish.columns, string_list(body, "columns"));
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(auto revealed, services.reveals.reveal(actor_of(request), wish));
  const Json head = {{"ref", revealed.ref},
                     {"path", revealed.path},
                     {"columns", revealed.columns},
                     {"keys", revealed.evidence.key_ids},
                     {"records", revealed.evidence.records},
                     {"revealed", revealed.evidence.revealed},
                     {"left", revealed.evidence.left},
                     {"erased", revealed.erased},
                     {"erasures", revealed.erasures},
                     {"destroyed", revealed.destroyed}};
  Response response;
  response.content_type = "application/octet-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"Content-Disposition", "attachment"}};
  response.body = canonical_dump(head) + "\n" + revealed.bytes;
  crypto::wipe(revealed.bytes);
  return response;
}

}  // namespace

void add_key_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kGet, "/api/v1/keys", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Keys of masking with their versions; never their bytes.", bind(list_keys)},
                 {Method::kPost, "/api/v1/keys", Scope::kKeyAdmin, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Make a key.", bind(create_key)},
                 {Method::kPost, "/api/v1/keys/{name}/rotate", Scope::kKeyAdmin, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Make the next version of a key; the one before is only read.", bind(rotate_key)},
                 {Method::kPost, "/api/v1/keys/{name}/destroy", Scope::kKeyAdmin, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Destroy a retired version of a key, for ever.", bind(destroy_key)},
                 {Method::kPost, "/api/v1/reveals", Scope::kDataReveal, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Columns of a masked file as they were before.", bind(reveal), http::WithoutScope::kHandlerRefuses}});
}

}  // namespace mlops::api
