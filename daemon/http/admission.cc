#include "daemon/http/admission.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "daemon/http/target.h"

namespace mlops::http {
namespace {

Refusal refuse(ErrorCode code, std::string slug, std::string message, std::string hint = {}) {
  return Refusal{
      Error{code, std::move(slug), std::move(message), std::move(hint), {}}, AfterAnswer::kClose, nullptr, {}};
}

// After these the connection is still in step, so it may stay open.
Refusal refuse_and_keep(Error error, const Route* route) {
  return Refusal{std::move(error), AfterAnswer::kKeepAlive, route, {}};
}

std::optional<Refusal> check_message(const ServerCore& core, const Head& head) {
  if (core.draining) return refuse(ErrorCode::kUnavailable, "draining", "the server is shutting down", "try again");
  if (!core.host_names.contains(host_name(head.header("host")))) {
    return refuse(ErrorCode::kInvalid, "host_not_allowed", "this server does not answer to the name in Host",
                  "add it to listen.allowed_hosts");
  }
  if (const auto encoding = head.header("content-encoding"); !encoding.empty() && encoding != "identity") {
    return refuse(ErrorCode::kInvalid, "unsupported_encoding", "encoded bodies are not accepted",
                  "send the body without Content-Encoding");
  }
  return std::nullopt;
}

std::optional<Refusal> check_method(const Head& head, std::optional<Method> method) {
  if (!method) return refuse(ErrorCode::kInvalid, "method_unknown", "the method is not one this server knows");
  if ((*method == Method::kGet || *method == Method::kHead) && head.has_body()) {
    return refuse(ErrorCode::kInvalid, "body_not_allowed", "GET and HEAD take no body");
  }
  return std::nullopt;
}

std::variant<Router::Match, Refusal> find_route(const ServerCore& core, Method method, std::string_view path) {
  auto found = core.router.match(method, path);
  if (auto* match = std::get_if<Router::Match>(&found)) return std::move(*match);
  if (auto* bad = std::get_if<Router::BadPath>(&found)) {
    return refuse(ErrorCode::kInvalid, "bad_path", bad->why, "percent-encode a reference once, into one segment");
  }
  if (auto* wrong = std::get_if<Router::WrongMethod>(&found)) {
    auto refusal = refuse_and_keep({ErrorCode::kInvalid,
                                    "method_not_allowed",
                                    fmt::format("{} is not a method of this path", to_word(method)),
                                    "use " + wrong->allow,
                                    {}},
                                   nullptr);
    refusal.headers.emplace_back("Allow", wrong->allow);
    return refusal;
  }
  return refuse_and_keep(
      {ErrorCode::kNotFound, "route_not_found", "there is no such path", "GET /openapi.json lists all of them", {}},
      nullptr);
}

std::variant<model::Principal, Refusal> find_caller(const ServerCore& core, const Route& route,
                                                    std::string_view authorization) {
  const auto scope = route.scope.get();
  if (scope == model::Scope::kPublic) return model::Principal{};
  if (authorization.empty()) {
    return refuse_and_keep(
        {ErrorCode::kUnauthenticated, "no_token", "this needs a token", "send 'Authorization: Bearer mlo_…'", {}},
        &route);
  }
  auto principal = core.authenticate(authorization);
  if (!principal) return refuse_and_keep(std::move(principal.error()), &route);
  if (!principal->has(scope) && route.without_scope == WithoutScope::kRefuse) {
    const Json facts = {{"scope", std::string(to_word(scope))}};
    return refuse_and_keep({ErrorCode::kDenied, "missing_scope",
                            fmt::format("this needs the scope '{}', which the token does not have", to_word(scope)),
                            "ask an administrator for a token with that scope", facts.dump()},
                           &route);
  }
  return std::move(*principal);
}

bool is_json(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return content_type.empty() || to_lower_ascii(type) == "application/json";
}

std::optional<Refusal> check_body(const Route& route, const Head& head, Method method) {
  const bool wants_length = method == Method::kPost || method == Method::kPut || method == Method::kPatch;
  if (wants_length && !head.chunked && !head.content_length) {
    return refuse(ErrorCode::kInvalid, "length_required", "the request has neither Content-Length nor chunks");
  }
  if (!head.has_body()) return std::nullopt;
  if (route.body_mode == BodyMode::kNone) {
    return refuse(ErrorCode::kInvalid, "body_not_allowed", "this path takes no body");
  }
  if (route.body_mode == BodyMode::kBuffered && !is_json(head.header("content-type"))) {
    return refuse(ErrorCode::kInvalid, "unsupported_media_type", "the body must be application/json");
  }
  if (head.content_length.value_or(0) > route.body_limit_bytes) {
    return refuse(ErrorCode::kExhausted, "body_too_large",
                  fmt::format("the body is larger than {} bytes", route.body_limit_bytes));
  }
  return std::nullopt;
}

}  // namespace

std::string host_name(std::string_view host_header) {
  std::string_view name = host_header;
  std::string_view port;
  if (name.starts_with('[')) {
    const auto end = name.find(']');
    if (end == std::string_view::npos) return {};
    port = name.substr(end + 1);
    name = name.substr(1, end - 1);
  } else if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    port = name.substr(colon);
    name = name.substr(0, colon);
  }
  if (!port.empty() && (port.front() != ':' || port.find_first_not_of("0123456789", 1) != std::string_view::npos)) {
    return {};
  }
  return to_lower_ascii(name);
}

std::variant<Admitted, Refusal> admit(const ServerCore& core, Head& head, const std::string& peer_ip,
                                      const std::string& request_id) {
  if (auto refusal = check_message(core, head)) return std::move(*refusal);
  const auto method = method_from_word(head.method);
  if (auto refusal = check_method(head, method)) return std::move(*refusal);

  Admitted out;
  Request& request = out.request;
  request.method = *method;
  const std::string_view target = head.target;
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  auto query = parse_query(question == std::string_view::npos ? std::string_view{} : target.substr(question + 1),
                           core.options.query_param_limit);
  if (!query) return Refusal{std::move(query.error()), AfterAnswer::kClose, nullptr, {}};
  request.query = std::move(*query);

  auto match = find_route(core, *method, request.path);
  if (auto* refusal = std::get_if<Refusal>(&match)) return std::move(*refusal);
  out.route = std::get<Router::Match>(match).route;
  request.params = std::move(std::get<Router::Match>(match).params);

  auto caller = find_caller(core, *out.route, head.header("authorization"));
  if (auto* refusal = std::get_if<Refusal>(&caller)) return std::move(*refusal);
  request.principal = std::move(std::get<model::Principal>(caller));

  if (auto refusal = check_body(*out.route, head, *method)) {
    refusal->route = out.route;
    return std::move(*refusal);
  }
  request.headers = std::move(head.headers);
  request.origin = {peer_ip, request_id};
  return out;
}

}  // namespace mlops::http
