#include "cli/problem.h"

#include <fmt/format.h>

#include <array>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kForeignBodyShown = 200;

struct StatusRow {
  int status;
  ErrorCode code;
};

constexpr std::array<StatusRow, 15> kByStatus{{
    {400, ErrorCode::kInvalid},
    {401, ErrorCode::kUnauthenticated},
    {403, ErrorCode::kDenied},
    {404, ErrorCode::kNotFound},
    {405, ErrorCode::kInvalid},
    {408, ErrorCode::kTimeout},
    {409, ErrorCode::kConflict},
    {413, ErrorCode::kExhausted},
    {415, ErrorCode::kInvalid},
    {421, ErrorCode::kInvalid},
    {429, ErrorCode::kExhausted},
    {502, ErrorCode::kUnavailable},
    {503, ErrorCode::kUnavailable},
    {504, ErrorCode::kTimeout},
    {507, ErrorCode::kExhausted},
}};

ErrorCode code_of_status(int status) {
  for (const auto& row : kByStatus) {
    if (row.status == status) return row.code;
  }
  return status >= 400 && status < 500 ? ErrorCode::kInvalid : ErrorCode::kInternal;
}

std::string text_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What to do next, where the server did not say.
std::string default_hint(ErrorCode code) {
  if (code == ErrorCode::kUnauthenticated) {
    return "log in with `mlopsctl login --token-stdin`, or set MLOPS_TOKEN_FILE";
  }
  if (code == ErrorCode::kDenied)
    return "`mlopsctl whoami` shows your roles; `mlopsctl can-i SCOPE` asks for one right";
  return {};
}

Error foreign_error(const HttpReply& reply, std::string_view server_url) {
  const auto location = reply.headers.find("location");
  Error error{code_of_status(reply.status), "http_status",
              fmt::format("{} answered {} without saying why", printable(server_url), reply.status),
              "is this address mlopsd's? `mlopsctl doctor` looks", ""};
  if (reply.status >= 300 && reply.status < 400) {
    error.code = ErrorCode::kInvalid;
    error.message = fmt::format("{} redirects to {}; redirects are not followed with a token", printable(server_url),
                                location == reply.headers.end() ? "nowhere" : printable(location->second));
    error.hint = "give the final address as the server";
  } else if (const auto text = trim(reply.body); !text.empty()) {
    error.message += ": " + printable(text.substr(0, kForeignBodyShown));
  }
  if (error.code == ErrorCode::kUnauthenticated) error.hint = default_hint(error.code);
  return error;
}

}  // namespace

Error error_of_reply(const HttpReply& reply, std::string_view server_url) {
  const auto parsed = parse_json(reply.body);
  if (!parsed || !parsed->is_object() || text_member(*parsed, "code").empty()) return foreign_error(reply, server_url);
  Error error;
  error.code = error_code_from_word(text_member(*parsed, "code"));
  error.slug = text_member(*parsed, "slug");
  error.message = text_member(*parsed, "detail");
  if (error.message.empty()) error.message = text_member(*parsed, "title");
  error.hint = text_member(*parsed, "hint");
  if (error.hint.empty()) error.hint = default_hint(error.code);
  if (const auto facts = parsed->find("facts"); facts != parsed->end() && !facts->is_null()) {
    error.detail = canonical_dump(*facts);
  }
  return error;
}

Json problem_of(const Error& error, std::string_view request_id) {
  Json problem = {{"type", "urn:mlops:error:" + (error.slug.empty() ? std::string("error") : error.slug)},
                  {"title", to_word(error.code)},
                  {"detail", error.message},
                  {"code", to_word(error.code)},
                  {"slug", error.slug},
                  {"hint", error.hint}};
  if (!request_id.empty()) problem["request_id"] = request_id;
  if (!error.detail.empty()) {
    if (auto facts = parse_json(error.detail)) problem["facts"] = std::move(*facts);
  }
  return problem;
}

}  // namespace mlops::cli
