#include "daemon/api/page_cache.h"

#include "tests/unit/catch.h"

namespace mlops::api {

TEST_CASE("a page is served only at the generation it was rendered at") {
  PageCache cache;
  cache.keep("a", 7, "page");
  CHECK(cache.find("a", 7) == "page");
  CHECK_FALSE(cache.find("a", 8));
  CHECK_FALSE(cache.find("b", 7));
}

TEST_CASE("a page that was rendered before a commit does not come back after it") {
  PageCache cache;
  cache.keep("a", 8, "new");
  cache.keep("a", 7, "old");
  CHECK(cache.find("a", 8) == "new");
  CHECK_FALSE(cache.find("a", 7));
}

TEST_CASE("large pages are not kept, and many do not grow the cache for ever") {
  PageCache cache;
  cache.keep("large", 1, std::string(20'000, 'x'));
  CHECK_FALSE(cache.find("large", 1));
  for (int i = 0; i < 1000; ++i) cache.keep(std::to_string(i), 1, std::string(10'000, 'x'));
  CHECK_FALSE(cache.find("0", 1));
  CHECK(cache.find("999", 1));
}

}  // namespace mlops::api
