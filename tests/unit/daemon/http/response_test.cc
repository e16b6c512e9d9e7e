#include "daemon/http/error_map.h"
#include "daemon/http/rate_guard.h"
#include "daemon/http/response_head.h"
#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

std::string head_of(const Response& response, AfterAnswer after = AfterAnswer::kKeepAlive) {
  std::string out;
  append_head(out, response, response.body.size(), "id-1", after);
  return out;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("every code has its status, a slug may say more") {
  const auto status = [](ErrorCode code, std::string slug) { return status_of({code, std::move(slug), {}, {}, {}}); };
  CHECK(status(ErrorCode::kInvalid, "x") == 400);
  CHECK(status(ErrorCode::kUnauthenticated, "x") == 401);
  CHECK(status(ErrorCode::kDenied, "x") == 403);
  CHECK(status(ErrorCode::kRefused, "x") == 403);
  CHECK(status(ErrorCode::kNotFound, "x") == 404);
  CHECK(status(ErrorCode::kAlreadyExists, "x") == 409);
  CHECK(status(ErrorCode::kConflict, "x") == 409);
  CHECK(status(ErrorCode::kUnavailable, "x") == 503);
  CHECK(status(ErrorCode::kTimeout, "x") == 504);
  CHECK(status(ErrorCode::kCorrupt, "x") == 500);
  CHECK(status(ErrorCode::kInternal, "x") == 500);
  CHECK(status(ErrorCode::kExhausted, "disk_full") == 507);
  CHECK(status(ErrorCode::kExhausted, "body_too_large") == 413);
  CHECK(status(ErrorCode::kExhausted, "rate_limited") == 429);
  CHECK(status(ErrorCode::kTimeout, "slow_body") == 408);
  // A slug does not move an error of another code.
  CHECK(status(ErrorCode::kInternal, "slow_body") == 500);
}

TEST_CASE("a problem carries code, slug, hint, request id and facts") {
  const auto response =
      problem({ErrorCode::kNotFound, "version_not_found", "no version 'x'", "try list", R"({"n":1})"}, "id-7");
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/problem+json");
  CHECK(Json::parse(response.body) == Json{{"type", "urn:mlops:error:version_not_found"},
                                           {"title", "not found"},
                                           {"status", 404},
                                           {"detail", "no version 'x'"},
                                           {"code", "not_found"},
                                           {"slug", "version_not_found"},
                                           {"hint", "try list"},
                                           {"request_id", "id-7"},
                                           {"facts", {{"n", 1}}}});
  CHECK(
      contains(head_of(problem({ErrorCode::kUnauthenticated, "x", {}, {}, {}}, "i")), "WWW-Authenticate: Bearer\r\n"));
  CHECK(contains(head_of(problem({ErrorCode::kUnavailable, "x", {}, {}, {}}, "i")), "Retry-After: 1\r\n"));
}

TEST_CASE("every answer has the protective headers, once") {
  const auto head = head_of(Response::json(200, {{"a", 1}}));
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: application/json\r\n"));
  CHECK(contains(head, "X-Request-Id: id-1\r\n"));
  CHECK(contains(head, "X-Content-Type-Options: nosniff\r\n"));
  CHECK(contains(head, "Cache-Control: no-store\r\n"));
  CHECK(contains(head, "Content-Security-Policy: default-src 'none'; sandbox\r\n"));
  CHECK_FALSE(contains(head, "Server:"));
  CHECK_FALSE(contains(head, "Connection:"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(head_of(Response{}, AfterAnswer::kClose).ends_with("Connection: close\r\n\r\n"));

  Response page;
  page.content_type = "text/html; charset=utf-8";
  page.headers = {{"cache-control", "max-age=60"}};
  CHECK_FALSE(contains(head_of(page), "Content-Security-Policy"));
  CHECK_FALSE(contains(head_of(page), "no-store"));
}

TEST_CASE("a status without a body has no length") {
  Response response;
  response.status = 204;
  CHECK_FALSE(contains(head_of(response), "Content-Length"));
  CHECK_FALSE(may_have_body(304));
}

TEST_CASE("a header with a line break is never sent") {
  Response response;
  CHECK(is_well_formed(response));
  response.headers = {{"X-A", "a\r\nSet-Cookie: b"}};
  CHECK_FALSE(is_well_formed(response));
  response.headers = {{"X A", "a"}};
  CHECK_FALSE(is_well_formed(response));
  response.headers.clear();
  response.content_type = "text/plain\r\n";
  CHECK_FALSE(is_well_formed(response));
}

TEST_CASE("a rate is judged over a window of waiting time") {
  using std::chrono::milliseconds;
  RateGuard guard(1000, milliseconds(2000));
  CHECK(guard.feed(1, milliseconds(1999)));  // the window has not ended
  CHECK_FALSE(guard.feed(1, milliseconds(1)));
  CHECK(guard.feed(1999, milliseconds(1000)));
  CHECK(guard.feed(1, milliseconds(1000)));  // exactly the minimum
  CHECK(guard.feed(0, milliseconds(0)));
}

}  // namespace
}  // namespace mlops::http
