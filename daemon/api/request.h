// Reading requests and answering them: the small vocabulary all handlers share. Errors: kInvalid naming the member or
// parameter. Thread-safety: pure functions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/http/route.h"
#include "storage/meta/store.h"

namespace mlops::api {

// A handler that may fail; its error becomes problem+json.
http::Handler answering(std::function<Result<http::Response>(http::Request&)> handler);

meta::Actor actor_of(const http::Request& request);

// The body, with exactly the known members; "dry_run" is known where the row allows it.
Result<Json> body_with(const http::Request& request, std::initializer_list<std::string_view> known);
Result<meta::Commit> commit_of(const Json& body);
// Marks the answer of a dry run.
http::Response answer(int status, Json value, meta::Commit commit = meta::Commit::kKeep);

// Query parameters; an unknown one is an error, so that a typo does not silently widen an answer.
Status only_known_params(const http::Request& request, std::initializer_list<std::string_view> known);
Result<TimestampUs> as_of(const http::Request& request);  // 0: now; not later than known_at
Result<std::optional<TimestampUs>> time_param(const http::Request& request, const std::string& name);
Result<std::size_t> limit_of(const http::Request& request);  // 1–1000, default 100

// {"items":[…],"next":cursor|null}: `items` may hold one more than `limit`, which then only proves that there is a next.
Json page(Json items, std::size_t limit, const std::function<std::string(const Json& last)>& cursor);

// Members of a JSON body.
Result<std::map<std::string, std::string>> string_map(const Json& body, const std::string& key);
Result<std::vector<std::string>> string_list(const Json& body, const std::string& key);

}  // namespace mlops::api
