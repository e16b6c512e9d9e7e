#include "daemon/http/target.h"

#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

TEST_CASE("a query is decoded once") {
  const auto query = parse_query("label=k%3Dv&name=a+b&plus=1%2B1&flag&&empty=", 100);
  REQUIRE(query);
  CHECK(*query == std::map<std::string, std::string>{
                      {"label", "k=v"}, {"name", "a b"}, {"plus", "1+1"}, {"flag", ""}, {"empty", ""}});
  CHECK(parse_query("", 100)->empty());
  CHECK(parse_query("x=%2525", 100)->at("x") == "%25");
}

TEST_CASE("an ambiguous or oversized query is refused") {
  const auto* const bad = GENERATE("a=1&a=2", "a=1&%61=2", "a=%", "a=%0", "a=%00", "a=%0d%0aSet-Cookie:x", "a=%ff");
  const auto query = parse_query(bad, 100);
  REQUIRE_FALSE(query);
  CHECK(query.error().slug == "bad_query");
}

TEST_CASE("the number of parameters has a limit") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "k" + std::to_string(i) + "=v&";
  CHECK(parse_query(text, 100)->size() == 100);
  CHECK_FALSE(parse_query(text + "one=more", 100));
}

TEST_CASE("a plus sign is itself in a path") {
  CHECK(*decode_segment("a+b") == "a+b");
  CHECK(*decode_segment("100%25") == "100%");
  CHECK(*decode_segment("..x") == "..x");
  CHECK(*decode_segment("na%C3%AFve") == "na\xC3\xAFve");
}

}  // namespace
}  // namespace mlops::http
