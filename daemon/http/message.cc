#include "daemon/http/message.h"

#include <array>

namespace mlops::http {
namespace {

constexpr std::array<std::string_view, 6> kMethodWords{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

}  // namespace

std::string_view to_word(Method method) {
  return kMethodWords[static_cast<std::size_t>(method)];
}

std::optional<Method> method_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kMethodWords.size(); ++i) {
    if (kMethodWords[i] == word) return static_cast<Method>(i);
  }
  return std::nullopt;
}

std::string_view Request::query_or(const std::string& key, std::string_view fallback) const {
  const auto it = query.find(key);
  return it == query.end() ? fallback : std::string_view(it->second);
}

Result<Json> Request::json() const {
  if (body.empty()) {
    return fail(ErrorCode::kInvalid, "body_missing", "the request needs a JSON object as its body", "send at least {}");
  }
  JsonLimits limits;
  limits.size_bytes = std::max(limits.size_bytes, body.size());  // the route's limit has already been enforced
  MLOPS_ASSIGN(Json value, parse_json(body, limits));
  if (!value.is_object()) {
    return fail(ErrorCode::kInvalid, "body_not_an_object", "the body must be a JSON object");
  }
  return value;
}

Response Response::json(int status, const Json& value) {
  Response response;
  response.status = status;
  // A stored string that is not UTF-8 must not cost the answer: it is shown with replacement characters.
  response.body = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

}  // namespace mlops::http
