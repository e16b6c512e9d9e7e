// Reading requests and answering them: the small vocabulary all handlers share. Errors: kInvalid naming the member or
// parameter. Thread-safety: pure functions.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/http/route.h"
#include "storage/meta/store.h"

namespace mlops::api {

using http::BodyMode;
using http::Method;
using http::Request;
using http::Response;
using http::RunOn;
using model::Scope;

// A handler that may fail; its error becomes problem+json.
http::Handler answering(std::function<Result<Response>(Request&)> handler);

meta::Actor actor_of(const Request& request);

// The body, with exactly the known members; "dry_run" is known where the row allows it.
Result<Json> body_with(const Request& request, std::initializer_list<std::string_view> known);
Result<meta::Commit> commit_of(const Json& body);
// Marks the answer of a dry run.
Response answer(int status, Json value, meta::Commit commit = meta::Commit::kKeep);

// Query parameters; an unknown one is an error, so that a typo does not silently widen an answer.
Status only_known_params(const Request& request, std::initializer_list<std::string_view> known);
Result<TimestampUs> as_of(const Request& request);  // 0: now; not later than known_at
Result<std::optional<TimestampUs>> time_param(const Request& request, const std::string& name);
Result<std::size_t> limit_of(const Request& request);  // 1–1000, default 100

// {"items":[…],"next":cursor|null}: `items` may hold one more than `limit`, which then only proves that there is a
// next.
Json page(Json items, std::size_t limit, const std::function<std::string(const Json& last)>& cursor);

// A list that is given whole: {"items":[…],"next":null}.
Json whole(Json items);

// Fields of an answer that may say nothing.
Json text_or_null(const std::string& text);
Json time_or_null(TimestampUs at_us);  // 0: null
Json time_or_null(const std::optional<TimestampUs>& at_us);

// Members of a JSON body.
Result<std::map<std::string, std::string>> string_map(const Json& body, const std::string& key);
Result<std::vector<std::string>> string_list(const Json& body, const std::string& key);

}  // namespace mlops::api
