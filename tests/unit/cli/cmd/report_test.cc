// The forms other tools read: SARIF and JUnit.
#include "cli/cmd/report.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cli;

TEST_CASE("a SARIF report names its rules once and places every finding") {
  const auto report = sarif_report({{"policies/a b.yaml", 3, 5, true, "unknown_key", "no such key"},
                                    {"c.yaml", 0, 0, false, "unused_key", "not used"},
                                    {"c.yaml", 7, 0, true, "unknown_key", "again"}});
  CHECK(report["version"] == "2.1.0");
  REQUIRE(report["runs"].size() == 1);
  const auto& run = report["runs"][0];
  const auto& rules = run["tool"]["driver"]["rules"];
  REQUIRE(rules.size() == 2);
  REQUIRE(run["results"].size() == 3);
  for (const auto& result : run["results"]) {
    CHECK(rules[result["ruleIndex"].get<std::size_t>()]["id"] == result["ruleId"]);
  }
  const auto& place = run["results"][0]["locations"][0]["physicalLocation"];
  CHECK(place["artifactLocation"]["uri"] == "policies/a%20b.yaml");
  CHECK(place["region"]["startLine"] == 3);
  CHECK(place["region"]["startColumn"] == 5);
  CHECK(run["results"][1]["level"] == "warning");
  CHECK_FALSE(run["results"][1]["locations"][0]["physicalLocation"].contains("region"));
}

TEST_CASE("a SARIF report of nothing has no results") {
  const auto report = sarif_report({});
  CHECK(report["runs"][0]["results"].is_array());
  CHECK(report["runs"][0]["results"].empty());
}

TEST_CASE("a JUnit report counts and escapes") {
  const auto xml = junit_report("suite", {{"good", "a.yaml", 1, {}}, {"b<d> & \"q\"", "a.yaml", 9, {"1\x01", "two"}}});
  CHECK(xml.find(R"(<testsuite name="suite" tests="2" failures="1" errors="0">)") != std::string::npos);
  CHECK(xml.find(R"(<testcase name="good" classname="a.yaml" file="a.yaml" line="1"/>)") != std::string::npos);
  CHECK(xml.find(R"(name="b&lt;d&gt; &amp; &quot;q&quot;")") != std::string::npos);
  CHECK(xml.find(R"(<failure message="1\x01">1\x01&#10;two</failure>)") != std::string::npos);
  CHECK(xml.find('\x01') == std::string::npos);
}
