#include "cli/cmd/release_flow.h"

#include "cli/cmd/rows.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

Json plan(const char* state, const char* verdict, int approvals = 0) {
  Json given = Json::array();
  for (int i = 0; i < approvals; ++i) given.push_back({{"by", "bob"}, {"decision", "approve"}, {"reason", "fine"}});
  return {{"id", "p1"},
          {"state", state},
          {"verdict", verdict},
          {"kind", "promote"},
          {"environment", "prod"},
          {"release", {{"name", "m"}, {"members", {{{"ref", "m@v1"}, {"digest", "sha256:d"}}}}}},
          {"gates",
           {{{"id", "approvals"},
             {"verdict", verdict},
             {"reason", "0 of 1"},
             {"rule", "environment prod"},
             {"would_pass_if", "somebody approves"},
             {"facts", Json::object()}}}},
          {"approvals", given},
          {"approvals_needed", 1},
          {"requested_by", "alice"}};
}

Result<Json> refused(const char* slug, const Json& facts) {
  return fail(ErrorCode::kRefused, slug, "the answer is no", "", facts.dump());
}

Json promotion() {
  return {{"deployment",
           {{"environment", "prod"}, {"ref", "m@v1"}, {"members", {{{"ref", "m@v1"}}}}, {"action", "promote"}}},
          {"plan", plan("executed", "pass")},
          {"replaced", nullptr},
          {"undo", nullptr}};
}

struct Waited {
  FakeClock clock{0};
  int pauses = 0;
  Pace pace{clock, [this](std::int64_t ms) {
              ++pauses;
              clock.advance_us(ms * 1000);
            }};
};

const ReleaseRequest kRequest{"/api/v1/promotions", {{"ref", "m@v1"}}};

}  // namespace

TEST_CASE("a refusal names gate and remedy and exits 3") {
  FakeSession session;
  session.fake.answer("POST", refused("gates_denied", plan("open", "fail")));
  Waited waited;
  CHECK(*run_release(session, kRequest, {WhenPending::kWait, 60}, waited.pace) == kExitRefused);
  CHECK(session.err.find("passes if  somebody approves") != std::string::npos);
  CHECK(waited.pauses == 0);
  CHECK(session.out.empty());
}

TEST_CASE("pending without --wait exits 3 and names the approving command") {
  FakeSession session;
  session.fake.answer("POST", refused("approvals_pending", plan("open", "pending")));
  Waited waited;
  CHECK(*run_release(session, kRequest, {}, waited.pace) == kExitRefused);
  CHECK(session.err.find("mlopsctl approve p1") != std::string::npos);
}

TEST_CASE("waiting executes exactly the plan once it is approved") {
  FakeSession session;
  session.fake.answer("POST", refused("approvals_pending", plan("open", "pending")));
  session.fake.answer("POST", promotion());
  session.fake.answer("GET /api/v1/plans/p1", plan("open", "pending"));
  session.fake.answer("GET /api/v1/plans/p1", plan("open", "pending", 1));
  Waited waited;
  CHECK(*run_release(session, kRequest, {WhenPending::kWait, 60}, waited.pace) == kExitDone);
  CHECK(waited.pauses == 2);
  CHECK(session.fake.calls.back().body == Json{{"plan", "p1"}});
  CHECK(session.out.find("promoted m@v1 to prod") != std::string::npos);
}

TEST_CASE("waiting ends with the plan: rejected 3, stale 6, timeout 7") {
  struct Row {
    Json answer;
    int exit;
  };
  auto rejected = plan("rejected", "fail");
  rejected["approvals"].push_back({{"by", "eve"}, {"decision", "reject"}, {"reason", "not yet"}});
  const Row rows[] = {{rejected, kExitRefused},
                      {plan("stale", "pending"), kExitConflict},
                      {plan("open", "pending"), kExitWaitTimedOut}};
  for (const auto& row : rows) {
    FakeSession session;
    session.fake.answer("POST", refused("approvals_pending", plan("open", "pending")));
    session.fake.answer("GET", row.answer);
    Waited waited;
    CHECK(*run_release(session, kRequest, {WhenPending::kWait, 30}, waited.pace) == row.exit);
    CHECK(waited.clock.now_us() <= 36'000'000);
  }
}

TEST_CASE("under -o json the error alone carries the gates") {
  FakeSession session;
  session.json = true;
  session.fake.answer("POST", refused("gates_denied", plan("open", "fail")));
  Waited waited;
  CHECK(*run_release(session, kRequest, {}, waited.pace) == kExitRefused);
  CHECK(session.err == "error: the answer is no\n");
  CHECK(session.failed.detail.find("somebody approves") != std::string::npos);
}

TEST_CASE("promote with --plan refuses another environment or version than the plan's") {
  FakeSession session({"m@v2"});
  session.options = {{"--plan", {"p1"}}, {"--to", {"staging"}}};
  session.fake.answer("GET /api/v1/plans/p1", plan("open", "pass"));
  CHECK(kPromoteCommand.run(session) == kExitConflict);
  session.options["--to"] = {"prod"};
  session.fake.answer("GET /api/v1/versions/m%40v2", Json{{"ref", "m@v2"}, {"digest", "sha256:other"}});
  CHECK(kPromoteCommand.run(session) == kExitConflict);
  CHECK(session.failed.slug == "plan_differs");
}

TEST_CASE("promote never takes a bare name") {
  FakeSession session({"m"});
  session.options = {{"--to", {"prod"}}};
  CHECK(kPromoteCommand.run(session) == kExitUsage);
  CHECK(session.failed.slug == "version_needed");
  CHECK(session.fake.calls.empty());
}

TEST_CASE("rollback takes v3, 3 and name@v3 for a target") {
  for (const auto* word : {"v3", "3", "m@v3"}) {
    FakeSession session({"m"});
    session.options = {{"--env", {"prod"}}, {"--reason", {"r"}}, {"--to", {word}}};
    session.fake.answer("POST /api/v1/rollbacks", promotion());
    CHECK(kRollbackCommand.run(session) == kExitDone);
    CHECK(session.fake.calls.back().body["to"] == "v3");
  }
  FakeSession wrong({"m"});
  wrong.options = {{"--env", {"prod"}}, {"--reason", {"r"}}, {"--to", {"other@v3"}}};
  CHECK(kRollbackCommand.run(wrong) == kExitUsage);
}

TEST_CASE("plan exits 0 only when every gate passes") {
  for (const auto& [verdict, exit] :
       {std::pair{"pass", kExitDone}, {"pending", kExitRefused}, {"fail", kExitRefused}}) {
    FakeSession session({"m@v1"});
    session.options = {{"--to", {"prod"}}};
    session.fake.answer("POST /api/v1/plans", plan("open", verdict));
    CHECK(kPlanCommand.run(session) == exit);
  }
}
