#include "core/net/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::net {
namespace {

bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kTokenMarks.find(c) != kTokenMarks.npos;
  });
}

Failure bad_request(std::string_view what) {
  return fail(ErrorCode::kInvalid, "bad_request", fmt::format("{} holds characters that HTTP cannot carry", what));
}

Failure source_changed(std::string message) {
  return fail(ErrorCode::kInvalid, "source_changed", std::move(message),
              "it changed while it was being sent; try again when it is at rest");
}

std::string span_text(std::int64_t ms) {
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

}  // namespace

Result<Url> server_of(const HttpClientOptions& options) {
  MLOPS_ASSIGN(Url server, parse_url(options.base_url));
  if (server.path.find('?') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "bad_url", "the URL of a server has no query");
  }
  if (!is_header_text(options.bearer_token)) return bad_request("the token");
  if (!is_header_text(options.user_agent)) return bad_request("the user agent");
  if (server.path.ends_with('/')) server.path.pop_back();
  return server;
}

Status check_request(const HttpRequest& request) {
  if (!is_header_name(request.method)) return bad_request("the method");
  if (!is_request_path(request.path)) return bad_request("the path");
  if (!is_header_text(request.content_type)) return bad_request("the content type");
  for (const auto& [name, value] : request.headers) {
    if (!is_header_name(name) || !is_header_text(value)) return bad_request("a header");
  }
  return {};
}

Failure server_unreachable(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "server_unreachable", fmt::format("cannot reach the server at {}", server),
              fmt::format("is mlopsd running at {}?", server));
}

Failure server_timeout(std::string_view server, std::int64_t timeout_ms) {
  return fail(ErrorCode::kTimeout, "server_timeout", fmt::format("{} was silent for {}", server, span_text(timeout_ms)),
              "try again later");
}

Failure server_too_slow(std::string_view server, std::int64_t timeout_ms) {
  return fail(ErrorCode::kTimeout, "server_timeout",
              fmt::format("{} did not answer whole within {}", server, span_text(timeout_ms)), "try again later");
}

Failure connection_lost(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "connection_lost", fmt::format("{} closed the connection", server),
              "its log says why; try again");
}

Failure bad_answer(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "connection_lost", fmt::format("what {} answered is not HTTP/1.1", server),
              "is it mlopsd that listens there?");
}

Failure connection_ended(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "connection_lost", fmt::format("the connection to {} was broken off", server));
}

Failure no_tls(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "tls_failed", fmt::format("no TLS connection to {}", server),
              "does this port speak TLS? a server without it is reached with http://");
}

Failure unusable_ca_file() {
  return fail(ErrorCode::kUnavailable, "tls_failed", "the file of trusted certificates cannot be used",
              "it must be a readable PEM file");
}

Failure untrusted_certificate(std::string_view server) {
  return fail(ErrorCode::kUnavailable, "tls_failed", fmt::format("the certificate of {} is not trusted", server),
              "name the certificate of its authority as the CA file");
}

Failure response_too_large(std::string_view server, std::size_t limit_bytes) {
  return fail(ErrorCode::kExhausted, "response_too_large",
              fmt::format("{} answered with more than {}", server, human_size(limit_bytes)));
}

Failure source_too_short() {
  return source_changed("the data ended before its announced size");
}

Failure source_too_long() {
  return source_changed("the data went on after its announced size");
}

}  // namespace mlops::net
