#include "daemon/http/route.h"
#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

Route row(Method method, std::string_view pattern) {
  return {method,
          pattern,
          model::Scope::kPublic,
          BodyMode::kNone,
          0,
          RunOn::kInline,
          "",
          [](Request&) {
            return Response{}; }};
}

Router table() {
  std::vector<Route> rows;
  rows.push_back(row(Method::kGet, "/livez"));
  rows.push_back(row(Method::kGet, "/api/v1/versions"));
  rows.push_back(row(Method::kPost, "/api/v1/versions"));
  rows.push_back(row(Method::kGet, "/api/v1/versions/{ref}"));
  rows.push_back(row(Method::kDelete, "/api/v1/versions/{ref}"));
  rows.push_back(row(Method::kPost, "/api/v1/versions/{ref}/labels"));
  rows.push_back(row(Method::kGet, "/api/v1/versions/latest"));
  rows.push_back(row(Method::kGet, "/"));
  return Router(std::move(rows));
}

std::string matched(const Router& router, Method method, std::string_view path) {
  const auto result = router.match(method, path);
  if (const auto* match = std::get_if<Router::Match>(&result)) return std::string(match->route->pattern);
  if (std::holds_alternative<Router::NotFound>(result)) return "not found";
  if (const auto* wrong = std::get_if<Router::WrongMethod>(&result)) return "allow " + wrong->allow;
  return "bad path";
}

TEST_CASE("a path finds its row, literals before parameters") {
  const Router router = table();
  CHECK(matched(router, Method::kGet, "/livez") == "/livez");
  CHECK(matched(router, Method::kGet, "/") == "/");
  CHECK(matched(router, Method::kGet, "/api/v1/versions/latest") == "/api/v1/versions/latest");
  CHECK(matched(router, Method::kGet, "/api/v1/versions/x") == "/api/v1/versions/{ref}");
  // "latest" is a literal without labels: the search goes back to the parameter.
  CHECK(matched(router, Method::kPost, "/api/v1/versions/latest/labels") == "/api/v1/versions/{ref}/labels");
  CHECK(matched(router, Method::kHead, "/livez") == "/livez");
}

TEST_CASE("an unknown path is not found, a known one names its methods") {
  const Router router = table();
  CHECK(matched(router, Method::kGet, "/live") == "not found");
  CHECK(matched(router, Method::kGet, "/livez/") == "not found");
  CHECK(matched(router, Method::kGet, "/api/v1") == "not found");
  CHECK(matched(router, Method::kGet, "/api/v1/versions/") == "not found");
  CHECK(matched(router, Method::kPut, "/api/v1/versions") == "allow GET, HEAD, POST");
  CHECK(matched(router, Method::kHead, "/api/v1/versions/x/labels") == "allow POST");
  CHECK(matched(router, Method::kGet, std::string(400, '/')) == "not found");
}

TEST_CASE("an encoded slash stays inside its segment and arrives decoded") {
  const Router router = table();
  const auto result = router.match(Method::kGet, "/api/v1/versions/hospital%2Freadmission%40v1");
  const auto* match = std::get_if<Router::Match>(&result);
  REQUIRE(match != nullptr);
  CHECK(match->params == std::vector<std::string>{"hospital/readmission@v1"});
}

TEST_CASE("hidden steps, bad escapes and double encoding are bad paths") {
  const Router router = table();
  const auto* const bad = GENERATE("../x", "..\\x", "%2e%2e%2f", "%252e%252e", "x;/../y", "x%00.png", "a%2F..%2Fb",
                                   "%zz", "%4", ".", "a%0Ab", "%ff");
  CHECK(matched(router, Method::kGet, std::string("/api/v1/versions/") + bad) == "bad path");
  CHECK(matched(router, Method::kGet, "livez") == "bad path");
}

}  // namespace
}  // namespace mlops::http
