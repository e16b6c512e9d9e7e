#include "cli/api_client.h"

#include <fmt/format.h>

#include "cli/problem.h"
#include "core/base/text.h"
#include "core/crypto/digest.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kBinary = "application/octet-stream";
// Lists come in pages of at most 1,000 items; a lineage graph is the largest single answer.
constexpr JsonLimits kAnswerLimits{.size_bytes = 64u << 20, .depth = 64, .nodes = 4'000'000, .string_bytes = 4u << 20};

bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

Result<Json> parse_answer(const HttpReply& reply, const std::string& server_url) {
  if (reply.body.empty()) return Json();
  auto parsed = parse_json(reply.body, kAnswerLimits);
  if (parsed) return parsed;
  return fail(ErrorCode::kInternal, "bad_answer",
              fmt::format("{} answered with something that is not JSON", printable(server_url)),
              "is this address mlopsd's? `mlopsctl doctor` looks");
}

}  // namespace

std::string url_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

HttpApiClient::HttpApiClient(std::unique_ptr<Transport> transport, std::string server_url, Observe observe)
    : transport_(std::move(transport)), server_url_(std::move(server_url)), observe_(std::move(observe)) {}

Result<HttpReply> HttpApiClient::exchange(const HttpCall& call) {
  last_request_id_.clear();
  auto reply = transport_->exchange(call);
  if (!reply) return reply;
  if (const auto id = reply->headers.find("x-request-id"); id != reply->headers.end()) last_request_id_ = id->second;
  if (observe_) observe_(call.method + " " + call.path, reply->status, last_request_id_);
  return reply;
}

Result<Json> HttpApiClient::call_json(const std::string& method, const std::string& path, const Json* body) {
  HttpCall call{.method = method, .path = path};
  if (body != nullptr) {
    call.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
    call.content_type = "application/json";
  }
  MLOPS_ASSIGN(const auto reply, exchange(call));
  if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, server_url_));
  return parse_answer(reply, server_url_);
}

Result<Json> HttpApiClient::get(const std::string& path_and_query) {
  return call_json("GET", path_and_query, nullptr);
}
Result<Json> HttpApiClient::post(const std::string& path, const Json& body) {
  return call_json("POST", path, &body);
}
Result<Json> HttpApiClient::put(const std::string& path, const Json& body) {
  return call_json("PUT", path, &body);
}
Result<Json> HttpApiClient::del(const std::string& path, const Json& body) {
  return call_json("DELETE", path, body.is_null() || body.empty() ? nullptr : &body);
}

Result<ApiClient::Raw> HttpApiClient::raw(const std::string& method, const std::string& path, const std::string& body) {
  HttpCall call{.method = method, .path = path, .body = body};
  if (!body.empty()) call.content_type = "application/json";
  MLOPS_ASSIGN(auto reply, exchange(call));
  const auto type = reply.headers.find("content-type");
  return Raw{reply.status, type == reply.headers.end() ? "" : type->second, std::move(reply.body)};
}

Result<std::string> HttpApiClient::call_bytes(const HttpCall& call) {
  MLOPS_ASSIGN(auto reply, exchange(call));
  if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, server_url_));
  return std::move(reply.body);
}

Result<std::string> HttpApiClient::post_bytes(const std::string& path, std::string_view body) {
  return call_bytes({.method = "POST", .path = path, .body = std::string(body), .content_type = std::string(kBinary)});
}

Result<std::string> HttpApiClient::get_bytes(const std::string& path) {
  return call_bytes({.path = path});
}

Result<Json> HttpApiClient::post_stream(const std::string& path, const std::function<Result<ByteView>()>& next,
                                        std::uint64_t size_bytes) {
  HttpCall call{.method = "POST", .path = path, .content_type = std::string(kBinary)};
  call.stream = next;
  call.stream_bytes = size_bytes == kUnknownSize ? kUnknownStreamBytes : size_bytes;
  MLOPS_ASSIGN(const auto reply, exchange(call));
  if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, server_url_));
  return parse_answer(reply, server_url_);
}

Status HttpApiClient::get_for_stream(const std::string& path, const std::function<Status(ByteView)>& sink) {
  MLOPS_ASSIGN(const auto reply, exchange({.path = path, .sink = sink}));
  if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, server_url_));
  return {};
}

Status HttpApiClient::post_for_stream(const std::string& path, std::string_view body,
                                      const std::function<Status(ByteView)>& sink) {
  HttpCall call{
      .method = "POST", .path = path, .body = std::string(body), .content_type = std::string(kBinary), .sink = sink};
  MLOPS_ASSIGN(const auto reply, exchange(call));
  if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, server_url_));
  return {};
}

// Not observed: what goes over further connections is one command's transfer, and several threads would talk at once.
Result<std::unique_ptr<ApiClient>> HttpApiClient::another() const {
  MLOPS_ASSIGN(auto transport, transport_->another());
  return std::unique_ptr<ApiClient>(std::make_unique<HttpApiClient>(std::move(transport), server_url_));
}

}  // namespace mlops::cli
