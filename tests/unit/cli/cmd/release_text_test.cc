#include "cli/cmd/release_text.h"

#include <algorithm>

#include "core/base/text.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

std::string text(const Lines& lines) {
  return join(lines, "\n");
}
bool contains(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

Json failing_gate() {
  return {{"id", "clearance"},
          {"kind", "clearance"},
          {"verdict", "fail"},
          {"rule", "environment prod"},
          {"reason", "m@v1 is personal, prod admits none"},
          {"would_pass_if", "it were trained on masked data"},
          {"facts",
           {{"taint_path",
             {{{"ref", "m@v1"}, {"sensitivity", "personal"}, {"role", ""}},
              {{"ref", "raw@v1"}, {"sensitivity", "personal"}, {"role", "train"}}}},
            {"clearance", "none"}}}};
}
Json passing_gate() {
  return {{"id", "integrity"},      {"kind", "integrity"},           {"verdict", "pass"},
          {"rule", "built-in"},     {"reason", "3 blobs are there"}, {"would_pass_if", "never shown"},
          {"facts", Json::object()}};
}

Json plan(const char* verdict, const char* state = "open", int given = 0) {
  Json approvals = Json::array();
  for (int i = 0; i < given; ++i)
    approvals.push_back({{"by", "bob"}, {"decision", "approve"}, {"reason", "ok"}, {"at", "T2"}});
  return {{"id", "p-1"},
          {"digest", "sha256:ab"},
          {"kind", "promote"},
          {"state", state},
          {"verdict", verdict},
          {"environment", "prod"},
          {"release",
           {{"name", "m"},
            {"kind", "model"},
            {"members", {{{"ref", "m@v1"}, {"digest", "sha256:0123456789abcdef"}, {"sensitivity", "personal"}}}}}},
          {"running", nullptr},
          {"reason", "because"},
          {"requested_by", "alice"},
          {"requested_at", "T1"},
          {"gates", {passing_gate(), failing_gate()}},
          {"masking", nullptr},
          {"policies", Json::array()},
          {"approvals", approvals},
          {"approvals_needed", 1}};
}

}  // namespace

TEST_CASE("a failed gate shows reason, rule, path and remedy, the remedy last") {
  const auto lines = gate_lines(Json::array({failing_gate()}), plain_style(), GateDetail::kAll);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "  ✘ fail     clearance  m@v1 is personal, prod admits none");
  CHECK(contains(lines[1], "rule       environment prod"));
  CHECK(contains(text(lines), "taint path  m@v1 (personal) ← train: raw@v1 (personal)"));
  CHECK(contains(lines[4], "passes if  it were trained on masked data"));
}

TEST_CASE("only open gates are shown when asked so, and a passed one has no remedy") {
  const Json gates = {passing_gate(), failing_gate()};
  CHECK_FALSE(contains(text(gate_lines(gates, plain_style(), GateDetail::kOnlyOpen)), "integrity"));
  const auto all = text(gate_lines(gates, plain_style(), GateDetail::kAll));
  CHECK(contains(all, "✔ pass     integrity"));
  CHECK_FALSE(contains(all, "never shown"));
}

TEST_CASE("gates are counted by verdict") {
  CHECK(gate_summary({passing_gate(), failing_gate(), passing_gate()}) == "2 passed, 1 failed");
  CHECK(gate_summary(Json::array()) == "no gates");
}

TEST_CASE("facts of any shape are lines, and long lists are cut with their number") {
  Json many = Json::array();
  for (int i = 0; i < 25; ++i) many.push_back({{"n", i}});
  const auto lines = fact_lines({{"empty", Json::array()}, {"many", many}, {"words", {"a", "b"}}}, plain_style(), 0);
  CHECK(lines.size() == 22);
  CHECK(contains(lines[0], "many   n=0"));
  CHECK(contains(lines[20], "… and 5 more"));
  CHECK(contains(lines[21], "words  a, b"));
}

TEST_CASE("the next step follows the plan's state") {
  CHECK(next_step_of(plan("pass")) == "mlopsctl promote --plan p-1");
  CHECK(contains(next_step_of(plan("pending")), "mlopsctl approve p-1"));
  CHECK(contains(next_step_of(plan("pending")), "not alice"));
  CHECK(next_step_of(plan("pending", "open", 1)) == "mlopsctl promote --plan p-1");
  CHECK(next_step_of(plan("fail")).empty());
  CHECK(next_step_of(plan("pass", "executed")).empty());
}

TEST_CASE("approvals that do not count for their role leave the plan with its approvers; a dry run has no next step") {
  auto waiting = plan("pending", "open", 1);
  waiting["gates"] = {
      {{"id", "approvals"}, {"kind", "approvals"}, {"verdict", "pending"}, {"facts", {{"have", 0}, {"need", 1}}}}};
  CHECK(contains(next_step_of(waiting), "mlopsctl approve p-1"));
  CHECK(contains(text(plan_lines(waiting, plain_style(), GateDetail::kAll)), "0 of 1"));
  waiting["id"] = "";
  CHECK(next_step_of(waiting).empty());
  waiting["restores"] = {"m@v1", "release:n@r2"};
  CHECK(contains(text(plan_lines(waiting, plain_style(), GateDetail::kAll)), "promote m@v1 and release:n@r2 to prod"));
}

TEST_CASE("a plan shows what moves, every gate and its digest") {
  const auto shown = text(plan_lines(plan("fail"), plain_style(), GateDetail::kAll));
  for (const auto* part : {"✘ fail  promote m to prod", "m@v1  sha256:0123456789ab  personal", "running now  nothing",
                           "alice, T1", "gates  1 passed, 1 failed", "digest  sha256:ab"}) {
    INFO(part);
    CHECK(contains(shown, part));
  }
}

TEST_CASE("a promotion says what ran before and how to undo it") {
  const Json deployment = {{"environment", "prod"}, {"name", "m"},
                           {"release", 2},          {"members", {{{"ref", "m@v2"}, {"digest", "d"}}}},
                           {"ref", "m@v2"},         {"action", "promote"},
                           {"by", "alice"},         {"reason", "r"},
                           {"plan", "p"},           {"started_at", "T"}};
  const Json promotion = {{"deployment", deployment},
                          {"plan", plan("pass")},
                          {"masking", nullptr},
                          {"replaced", "m@v1"},
                          {"undo", "mlopsctl rollback m --env prod"}};
  const auto shown = text(promotion_lines(promotion, plain_style()));
  CHECK(contains(shown, "✔ promoted m@v2 to prod"));
  CHECK(contains(shown, "replaced  m@v1"));
  CHECK(contains(shown, "undo  mlopsctl rollback m --env prod"));
  Json dry = promotion;
  dry["dry_run"] = true;
  CHECK(contains(text(promotion_lines(dry, plain_style())), "would promote m@v2 to prod"));
  CHECK(contains(text(promotion_lines(dry, plain_style())), "dry run: nothing was changed"));
  Json unchanged = promotion;
  unchanged["unchanged"] = true;
  CHECK(promotion_lines(unchanged, plain_style()) == Lines{"✔ prod already runs m@v2: nothing changed"});
}

TEST_CASE("a promotion names whose places it took, and a rollback all that it brought back") {
  const auto deployment = [](const std::string& name, const std::string& action) {
    return Json{{"environment", "prod"},
                {"name", name},
                {"members", {{{"ref", name + "@v1"}}}},
                {"ref", name + "@v1"},
                {"action", action}};
  };
  const Json promotion = {{"deployment", deployment("m", "promote")},
                          {"plan", plan("pass")},
                          {"replaced", nullptr},
                          {"took_places", {"stack release 1", "n release 2"}}};
  CHECK(contains(text(promotion_lines(promotion, plain_style())), "replaced  stack release 1, n release 2"));
  const Json back = {{"deployment", deployment("m", "rollback")},
                     {"plan", plan("pass")},
                     {"replaced", "release:stack@r1"},
                     {"restored", {deployment("m", "rollback"), deployment("n", "rollback")}}};
  CHECK(contains(text(promotion_lines(back, plain_style())), "rolled back prod to m@v1 and n@v1"));
}

TEST_CASE("masking evidence is a table of columns") {
  const Json run = {
      {"source", "raw@v1"},
      {"output", "raw-deid@v1"},
      {"policy", "deid"},
      {"policy_digest", "sha256:x"},
      {"rows", 5000},
      {"columns",
       {{{"column", "ssn"}, {"class", "us_ssn"}, {"transform", "redact"}, {"cells", 5000}, {"changed", 4999}}}},
      {"residual", {{"scanned_cells", 70000}, {"findings", 0}}}};
  const auto shown = text(masking_lines(run, plain_style()));
  CHECK(contains(shown, "raw@v1 → raw-deid@v1"));
  CHECK(contains(shown, "70,000 cells scanned, 0 findings"));
  CHECK(contains(shown, "ssn     us_ssn  redact     5,000    4,999"));
  CHECK(masking_lines(nullptr, plain_style()).empty());
}

TEST_CASE("several members are joined, a plan's release without ref gives its member") {
  CHECK(deployment_refs({{"ref", "a@v1"}, {"members", {{{"ref", "a@v1"}}, {{"ref", "b@v2"}}}}}) == "a@v1 + b@v2");
  CHECK(deployment_refs({{"members", {{{"ref", "a@v1"}}}}}) == "a@v1");
  CHECK(deployment_refs(Json::object()).empty());
}
