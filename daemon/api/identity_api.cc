// Who am I, what may I do, and tokens.
#include <fmt/format.h>

#include <algorithm>

#include "core/crypto/machine.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json scope_words(const std::vector<Scope>& scopes) {
  Json words = Json::array();
  for (const auto scope : scopes) words.push_back(to_word(scope));
  return words;
}

Json token_json(const meta::TokenRow& row) {
  return {{"id", row.id},
          {"name", row.name},
          {"principal", row.principal.name},
          {"human", row.principal.is_human},
          {"role", to_word(row.role)},
          {"scopes", scope_words(row.scopes)},
          {"clearance", to_word(row.clearance)},
          {"created_at", format_rfc3339(row.created_at_us)},
          {"expires_at", format_rfc3339(row.expires_at_us)},
          {"revoked_at", time_or_null(row.revoked_at_us)}};
}

Result<Response> whoami(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  const auto& principal = request.principal;
  Json roles = Json::array();
  for (const auto role : principal.roles) roles.push_back(to_word(role));
  Json token = {{"id", principal.token_id}};
  for (const auto& row : services.identity.tokens()) {
    if (row.id != principal.token_id) continue;
    token["name"] = row.name;
    token["expires_at"] = format_rfc3339(row.expires_at_us);
  }
  return Response::json(200, {{"principal", principal.name},
                              {"principal_id", principal.id},
                              {"human", principal.is_human},
                              {"roles", std::move(roles)},
                              {"scopes", scope_words(principal.scopes)},
                              {"clearance", to_word(principal.clearance)},
                              {"token", std::move(token)},
                              {"machine", crypto::machine_word()}});
}

Result<Response> can_i(Request& request) {
  MLOPS_TRY(only_known_params(request, {"action"}));
  const std::string action(request.query_or("action", ""));
  const auto scope = model::scope_from_word(action);
  if (!scope) {
    std::string known;
    for (const auto word : model::scopes_of(model::Role::kAdmin)) known += fmt::format(" {}", to_word(word));
    return fail(ErrorCode::kInvalid, "unknown_scope", "`action` must be a scope", "known:" + known);
  }
  const bool allowed = request.principal.has(*scope);
  std::string granting;
  for (const auto& word : model::role_words()) {
    const auto& scopes = model::scopes_of(*model::role_from_word(word));
    if (std::find(scopes.begin(), scopes.end(), *scope) != scopes.end())
      granting += (granting.empty() ? "" : ", ") + word;
  }
  std::string own;
  for (const auto role : request.principal.roles) own += to_word(role);
  const auto why = allowed ? fmt::format("your token has it (role {})", own)
                           : fmt::format("your token (role {}) does not have it; these roles do: {}", own, granting);
  return Response::json(200, {{"allowed", allowed}, {"action", action}, {"why", why}});
}

Result<Response> list_tokens(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  Json items = Json::array();
  for (const auto& row : services.identity.tokens()) items.push_back(token_json(row));
  return Response::json(200, whole(std::move(items)));
}

Result<domain::NewToken> read_wish(const Json& body) {
  domain::NewToken wanted;
  MLOPS_ASSIGN(wanted.principal, require_string(body, "principal"));
  MLOPS_ASSIGN(wanted.is_human, optional_bool(body, "human", true));
  MLOPS_ASSIGN(const auto role_word, require_string(body, "role"));
  const auto role = model::role_from_word(role_word);
  if (!role) {
    return fail(ErrorCode::kInvalid, "unknown_role", "`role` is not a role",
                "use viewer, ci, release, oncall, approver, auditor or admin");
  }
  wanted.role = *role;
  MLOPS_ASSIGN(const auto scopes, string_list(body, "scopes"));
  for (const auto& word : scopes) {
    const auto scope = model::scope_from_word(word);
    if (!scope) return fail(ErrorCode::kInvalid, "unknown_scope", "a scope in `scopes` is not known");
    wanted.scopes.push_back(*scope);
  }
  MLOPS_ASSIGN(const auto clearance, optional_string(body, "clearance", "child"));
  const auto label = model::sensitivity_from_word(clearance);
  if (!label)
    return fail(ErrorCode::kInvalid, "unknown_label", "`clearance` is not a label",
                "use none, pseudonymous, personal, special_category or child");
  wanted.clearance = *label;
  MLOPS_ASSIGN(wanted.name, optional_string(body, "name"));
  MLOPS_ASSIGN(wanted.expires_in_s, optional_int(body, "expires_in_s", 90 * 86400, 1, std::int64_t{1} << 40));
  return wanted;
}

Result<Response> create_token(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body,
               body_with(request, {"principal", "human", "role", "scopes", "clearance", "name", "expires_in_s"}));
  MLOPS_ASSIGN(const auto wanted, read_wish(body));
  MLOPS_ASSIGN(const auto issued, services.identity.create_token(actor_of(request), wanted, meta::Commit::kKeep));
  auto json = token_json(issued.row);
  json["secret"] = issued.secret;
  return Response::json(201, json);
}

Result<Response> revoke_token(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto row, services.identity.revoke_token(actor_of(request), request.params[0]));
  return Response::json(200, token_json(row));
}

}  // namespace

void add_identity_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(), {{Method::kGet, "/api/v1/whoami", Scope::kSelf, BodyMode::kNone, 0, RunOn::kInline,
                                "The principal behind the token.", bind(whoami)},
                               {Method::kGet, "/api/v1/can-i", Scope::kSelf, BodyMode::kNone, 0, RunOn::kInline,
                                "May this token do that?", answering(can_i)},
                               {Method::kGet, "/api/v1/tokens", Scope::kTokenAdmin, BodyMode::kNone, 0, RunOn::kWorker,
                                "All tokens, without secrets.", bind(list_tokens)},
                               {Method::kPost, "/api/v1/tokens", Scope::kTokenAdmin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Issue a token; its secret is shown once.", bind(create_token)},
                               {Method::kDelete, "/api/v1/tokens/{id}", Scope::kTokenAdmin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Revoke a token, effective at once.", bind(revoke_token)}});
}

}  // namespace mlops::api
