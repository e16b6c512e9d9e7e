// The offline verbs of the policy workbench: lint, test, explain, diff; exit codes and what goes to standard output.
#include "cli/cmd/rows.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

const std::string kHead = "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec:\n";
const std::string kPolicy = kHead +
                            "  classification: {columns: {ssn: {class: us_ssn}, zip: {class: us_zip}}}\n"
                            "  transforms:\n    rules:\n      - {match: {class: us_ssn}, apply: suppress}\n"
                            "      - {match: {class: us_zip}, apply: {generalize: {zip3: {}}}}\n";
const std::string kTests =
    "  tests:\n    - {note: small, given: {row: {zip: \"03601\"}}, expect: {zip: \"000\"}}\n"
    "    - {note: gone, given: {row: {ssn: \"219-09-9999\"}}, expect: {ssn: null}}\n";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("policy lint takes a date and gives SARIF and JUnit") {
  const TemporaryDirectory dir;
  const auto file = dir.write("p.yaml", kPolicy +
                                            "  exceptions: [{id: E, gate: \"class:us_zip\", scope: \"*\", reason: r,"
                                            " approver: a, expires: 2026-12-31}]\n");
  FakeSession before({file});
  before.options["--at"] = {"2026-12-30"};
  CHECK(kPolicyLintCommand.run(before) == kExitDone);
  FakeSession after({file});
  after.options["--at"] = {"2027-01-01"};
  CHECK(kPolicyLintCommand.run(after) == kExitRefused);
  CHECK(contains(after.out, "[exception_expired]"));
  after.out.clear();
  after.options["--format"] = {"sarif"};
  CHECK(kPolicyLintCommand.run(after) == kExitRefused);
  const auto sarif = parse_json(after.out);
  REQUIRE(sarif);
  CHECK((*sarif)["runs"][0]["results"][0]["ruleId"] == "exception_expired");
  after.out.clear();
  after.options["--format"] = {"junit"};
  CHECK(kPolicyLintCommand.run(after) == kExitRefused);
  CHECK(contains(after.out, "failures=\"1\""));
  FakeSession wrong({file});
  wrong.options["--at"] = {"soon"};
  CHECK(kPolicyLintCommand.run(wrong) == kExitUsage);
}

TEST_CASE("policy test passes, fails with expected and got, and fails where nothing is tested") {
  const TemporaryDirectory dir;
  FakeSession good({dir.write("good.yaml", kPolicy + kTests)});
  CHECK(kPolicyTestCommand.run(good) == kExitDone);
  CHECK(contains(good.out, "small"));
  FakeSession bad(
      {dir.write("bad.yaml", kPolicy + kTests + "    - {given: {row: {zip: \"03601\"}}, expect: {zip: \"036\"}}\n")});
  CHECK(kPolicyTestCommand.run(bad) == kExitRefused);
  CHECK(contains(bad.out, "zip: expected '036', got '000'"));
  FakeSession none({dir.write("none.yaml", kPolicy)});
  CHECK(kPolicyTestCommand.run(none) == kExitRefused);
  FakeSession broken({dir.write("broken.yaml", "apiVersion: [")});
  CHECK(kPolicyTestCommand.run(broken) == kExitRefused);
  FakeSession a_case({dir.write("case.yaml",
                                "note: lint says nothing\npolicy: |\n  apiVersion: mlops/v1\n  kind: "
                                "PrivacyPolicy\n  metadata: {name: p, version: 1.0.0}\n  spec:\n    gates: "
                                "[{id: g, approvals: {count: 1}}]\nwant: {lint: []}\n")});
  CHECK(kPolicyTestCommand.run(a_case) == kExitDone);
}

TEST_CASE("policy explain tells rule, place and clause of a class and of a column") {
  const TemporaryDirectory dir;
  const auto file = dir.write("p.yaml", kPolicy);
  FakeSession all({file});
  CHECK(kPolicyExplainCommand.run(all) == kExitDone);
  CHECK(contains(all.out, "p.yaml:8"));
  FakeSession one({"pack/hipaa-safe-harbor"});
  one.options["--class"] = {"us_ssn"};
  one.options["--pack-source"] = {"true"};
  CHECK(kPolicyExplainCommand.run(one) == kExitDone);
  CHECK(contains(one.out, "45 CFR 164.514(b)(2)(i)(G)"));
  CHECK(contains(one.out, "{match: {class: us_ssn}"));
  FakeSession column({file});
  column.json = true;
  column.options["--column"] = {"ZIP"};
  CHECK(kPolicyExplainCommand.run(column) == kExitDone);
  CHECK((*parse_json(column.out))["class"] == "us_zip");
  FakeSession unknown({file});
  unknown.options["--class"] = {"us_snn"};
  CHECK(kPolicyExplainCommand.run(unknown) == kExitNotFound);
}

TEST_CASE("policy diff ends with 0 only where nothing differs, or nothing is loosened") {
  const TemporaryDirectory dir;
  const auto before = dir.write("a.yaml", kPolicy);
  const auto stricter = dir.write("b.yaml", kPolicy + "  retention: {max: P1Y}\n");
  FakeSession same({before, dir.write("c.yaml", "# a comment\n" + kPolicy)});
  CHECK(kPolicyDiffCommand.run(same) == kExitDone);
  FakeSession tightened({before, stricter});
  CHECK(kPolicyDiffCommand.run(tightened) == kExitRefused);
  CHECK(contains(tightened.out, "tightened"));
  tightened.options["--loosened"] = {"true"};
  CHECK(kPolicyDiffCommand.run(tightened) == kExitDone);
  FakeSession loosened({stricter, before});
  loosened.options["--loosened"] = {"true"};
  CHECK(kPolicyDiffCommand.run(loosened) == kExitRefused);
  FakeSession absent({before, "pack/hipaa-safe-harbour"});
  CHECK(kPolicyDiffCommand.run(absent) == kExitNotFound);
}
