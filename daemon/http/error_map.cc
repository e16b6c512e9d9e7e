#include "daemon/http/error_map.h"

#include <array>

#include "daemon/http/message.h"

namespace mlops::http {
namespace {

struct CodeRow {
  ErrorCode code;
  int status;
};

constexpr std::array<CodeRow, 12> kCodes{{
    {ErrorCode::kInvalid, 400},
    {ErrorCode::kNotFound, 404},
    {ErrorCode::kAlreadyExists, 409},
    {ErrorCode::kConflict, 409},
    {ErrorCode::kDenied, 403},
    {ErrorCode::kUnauthenticated, 401},
    {ErrorCode::kRefused, 403},
    {ErrorCode::kUnavailable, 503},
    {ErrorCode::kTimeout, 504},
    {ErrorCode::kCorrupt, 500},
    {ErrorCode::kExhausted, 507},
    {ErrorCode::kInternal, 500},
}};

struct SlugRow {
  std::string_view slug;
  ErrorCode code;
  int status;
};

// Where HTTP says more than the code does. Both must fit: a slug alone never moves an error into another class.
constexpr SlugRow kSlugs[] = {
    {"method_not_allowed", ErrorCode::kInvalid, 405},
    {"slow_head", ErrorCode::kTimeout, 408},
    {"slow_body", ErrorCode::kTimeout, 408},
    {"length_required", ErrorCode::kInvalid, 411},
    {"body_too_large", ErrorCode::kExhausted, 413},
    {"too_large", ErrorCode::kExhausted, 413},
    {"too_many_items", ErrorCode::kExhausted, 413},
    {"upload_too_large", ErrorCode::kExhausted, 413},
    {"blob_too_large", ErrorCode::kExhausted, 413},
    {"uri_too_long", ErrorCode::kInvalid, 414},
    {"unsupported_media_type", ErrorCode::kInvalid, 415},
    {"unsupported_encoding", ErrorCode::kInvalid, 415},
    {"bad_range", ErrorCode::kInvalid, 416},
    {"range_not_satisfiable", ErrorCode::kInvalid, 416},
    {"unknown_expectation", ErrorCode::kInvalid, 417},
    {"host_not_allowed", ErrorCode::kInvalid, 421},
    {"too_many_requests", ErrorCode::kExhausted, 429},
    {"rate_limited", ErrorCode::kExhausted, 429},
    {"head_too_large", ErrorCode::kInvalid, 431},
    {"method_unknown", ErrorCode::kInvalid, 501},
};

struct PhraseRow {
  int status;
  std::string_view phrase;
};

constexpr PhraseRow kPhrases[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

std::string title_of(ErrorCode code) {
  std::string title(to_word(code));
  for (char& letter : title) {
    if (letter == '_') letter = ' ';
  }
  return title;
}

}  // namespace

int status_of(const Error& error) {
  for (const auto& row : kSlugs) {
    if (row.slug == error.slug && row.code == error.code) return row.status;
  }
  for (const auto& row : kCodes) {
    if (row.code == error.code) return row.status;
  }
  return 500;
}

std::string_view reason_phrase(int status) {
  for (const auto& row : kPhrases) {
    if (row.status == status) return row.phrase;
  }
  return "Unknown";
}

Response problem(const Error& error, std::string_view request_id) {
  const int status = status_of(error);
  Json body = {{"type", "urn:mlops:error:" + error.slug},
               {"title", title_of(error.code)},
               {"status", status},
               {"detail", error.message},
               {"code", std::string(to_word(error.code))},
               {"slug", error.slug},
               {"hint", error.hint},
               {"request_id", std::string(request_id)}};
  if (!error.detail.empty()) {
    Json facts = Json::parse(error.detail, nullptr, /*allow_exceptions=*/false);
    if (!facts.is_discarded()) body["facts"] = std::move(facts);
  }
  Response response = Response::json(status, body);
  response.content_type = "application/problem+json";
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace mlops::http
