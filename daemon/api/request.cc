#include "daemon/api/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/text.h"

namespace mlops::api {

http::Handler answering(std::function<Result<http::Response>(http::Request&)> handler) {
  return [handler = std::move(handler)](http::Request& request) {
    auto response = handler(request);
    if (response) return std::move(*response);
    return http::problem(response.error(), request.origin.request_id);
  };
}

meta::Actor actor_of(const http::Request& request) {
  return {request.principal, request.origin};
}

Result<Json> body_with(const http::Request& request, std::initializer_list<std::string_view> known) {
  MLOPS_ASSIGN(auto body, request.json());
  MLOPS_TRY(only_known_fields(body, known));
  return body;
}

Result<meta::Commit> commit_of(const Json& body) {
  MLOPS_ASSIGN(const bool dry, optional_bool(body, "dry_run", false));
  return dry ? meta::Commit::kDryRun : meta::Commit::kKeep;
}

http::Response answer(int status, Json value, meta::Commit commit) {
  if (commit == meta::Commit::kDryRun) {
    value["dry_run"] = true;
    if (status == 201) status = 200;
  }
  return http::Response::json(status, value);
}

Status only_known_params(const http::Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query) {
    // A read that takes the one time takes the other.
    const std::string_view asked = name == "known_at" ? "as_of" : std::string_view(name);
    if (std::find(known.begin(), known.end(), asked) != known.end()) continue;
    return fail(ErrorCode::kInvalid, "unknown_parameter",
                fmt::format("the query parameter \"{}\" is not known here", printable(name.substr(0, 40))));
  }
  return {};
}

Result<std::optional<TimestampUs>> time_param(const http::Request& request, const std::string& name) {
  const auto text = request.query_or(name, "");
  if (text.empty()) return std::optional<TimestampUs>();
  MLOPS_ASSIGN(const auto time, parse_rfc3339(text));
  return std::optional(time);
}

Result<TimestampUs> as_of(const http::Request& request) {
  MLOPS_ASSIGN(const auto time, time_param(request, "as_of"));
  MLOPS_ASSIGN(const auto known, time_param(request, "known_at"));
  if (!time && !known) return TimestampUs{0};
  // Everything but when deployments began is recorded when it happens: what was known then is what was so by then.
  const auto asked = std::min(time.value_or(std::numeric_limits<TimestampUs>::max()),
                              known.value_or(std::numeric_limits<TimestampUs>::max()));
  // 0 means now; the epoch itself is before anything was recorded, as is every moment before it.
  return std::max<TimestampUs>(asked, 1);
}

Result<std::size_t> limit_of(const http::Request& request) {
  const auto text = request.query_or("limit", "100");
  const auto limit = parse_int(text);
  if (!limit || *limit < 1 || *limit > 1000) {
    return fail(ErrorCode::kInvalid, "bad_limit", "limit must be a number from 1 to 1000", "page with `after`");
  }
  return static_cast<std::size_t>(*limit);
}

Json whole(Json items) {
  return {{"items", std::move(items)}, {"next", nullptr}};
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json time_or_null(TimestampUs at_us) {
  return at_us == 0 ? Json(nullptr) : Json(format_rfc3339(at_us));
}

Json time_or_null(const std::optional<TimestampUs>& at_us) {
  return at_us ? time_or_null(*at_us) : Json(nullptr);
}

Json page(Json items, std::size_t limit, const std::function<std::string(const Json&)>& cursor) {
  Json next = nullptr;
  if (items.size() > limit) {
    items.erase(limit);
    next = cursor(items.back());
  }
  return {{"items", std::move(items)}, {"next", std::move(next)}};
}

Result<std::map<std::string, std::string>> string_map(const Json& body, const std::string& key) {
  std::map<std::string, std::string> out;
  if (!body.contains(key)) return out;
  const auto& member = body.at(key);
  const auto bad = fail(ErrorCode::kInvalid, "bad_field", fmt::format("\"{}\" must be an object of strings", key));
  if (!member.is_object()) return bad;
  for (const auto& [name, value] : member.items()) {
    if (!value.is_string()) return bad;
    out[name] = value.get<std::string>();
  }
  return out;
}

Result<std::vector<std::string>> string_list(const Json& body, const std::string& key) {
  std::vector<std::string> out;
  if (!body.contains(key)) return out;
  const auto& member = body.at(key);
  const auto bad = fail(ErrorCode::kInvalid, "bad_field", fmt::format("\"{}\" must be a list of strings", key));
  if (!member.is_array()) return bad;
  for (const auto& value : member) {
    if (!value.is_string()) return bad;
    out.push_back(value.get<std::string>());
  }
  return out;
}

}  // namespace mlops::api
