// Selectors over environments, promotion order, and waves.
#include "core/model/selector.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

Environment environment(const std::string& name, std::vector<std::string> after = {}, const std::string& tenant = {}) {
  Environment out;
  out.name = name;
  out.after = std::move(after);
  if (!tenant.empty()) out.labels["tenant"] = tenant;
  return out;
}

const std::vector<Environment> kAll{
    environment("prod/acme", {"staging/acme"}, "acme"),       environment("prod/eu/initech", {"staging/globex"}),
    environment("prod/globex", {"staging/globex"}, "globex"), environment("staging/acme", {"test"}, "acme"),
    environment("staging/globex", {"test"}, "globex"),        environment("test")};

std::vector<std::string> names(const std::string& selector) {
  const auto found = select_environments(kAll, selector);
  if (!found) FAIL(found.error().message);
  std::vector<std::string> out;
  for (const auto& one : *found) out.push_back(one.name);
  return out;
}
using Names = std::vector<std::string>;
using Ends = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a star stays in its segment, two cross segments") {
  CHECK(names("prod/*") == Names{"prod/acme", "prod/globex"});
  CHECK(names("prod/**") == Names{"prod/acme", "prod/eu/initech", "prod/globex"});
  CHECK(names("*") == Names{"test"});
  CHECK(names("*/g*x") == Names{"staging/globex", "prod/globex"});
  CHECK(names("prod/acm?") == Names{"prod/acme"});
  CHECK(names("prod?acme") == Names{});
  CHECK(names("**/*e*") == Names{"staging/acme", "staging/globex", "prod/acme", "prod/eu/initech", "prod/globex"});
  CHECK(names("test") == Names{"test"});
}

TEST_CASE("labels choose too, and several words are joined; order is that of promotion") {
  CHECK(names("label:tenant=acme") == Names{"staging/acme", "prod/acme"});
  CHECK(names("label:tenant=*") == Names{"staging/acme", "staging/globex", "prod/acme", "prod/globex"});
  CHECK(names("prod/acme, test") == Names{"test", "prod/acme"});
  CHECK_FALSE(select_environments(kAll, "label:tenant"));
  CHECK_FALSE(select_environments(kAll, "label:=x"));
  CHECK_FALSE(select_environments(kAll, "prod/*,"));
  CHECK_FALSE(select_environments(kAll, std::string(600, '*')));
  CHECK(is_selector("prod/*"));
  CHECK(is_selector("label:tenant=acme"));
  CHECK_FALSE(is_selector("prod/acme"));
}

TEST_CASE("waves are cumulative, shares are rounded up, and the last one holds the rest") {
  CHECK(*wave_ends({}, 5) == Ends{5});
  CHECK(*wave_ends({"1", "50%", "100%"}, 10) == Ends{1, 5, 10});
  CHECK(*wave_ends({"1", "50%"}, 3) == Ends{1, 2, 3});
  CHECK(*wave_ends({"1", "50%"}, 1) == Ends{1});
  CHECK(*wave_ends({"1", "10%"}, 10) == Ends{1, 10});
  CHECK(*wave_ends({"20"}, 3) == Ends{3});
  for (const auto& bad : std::vector<std::vector<std::string>>{{"0"}, {"x"}, {"101%"}, {"%"}, {"50%", "1"}, {"-1"}}) {
    CHECK_FALSE(wave_ends(bad, 10));
  }
}
