// Promoting to a selector, following it, and the board and the graph, against scripted answers.
#include "cli/cmd/rollout_flow.h"
#include "cli/cmd/rows.h"
#include "core/model/environment.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

Json step(const std::string& environment, const std::string& state, int wave = 1) {
  return {{"environment", environment}, {"state", state}, {"wave", wave}, {"detail", nullptr}};
}
Json rollout(const std::string& state, std::vector<Json> steps, const Json& resume_at = nullptr) {
  return {{"id", "019384a2-7b1c"},  {"state", state}, {"state_reason", "why"},  {"to", "prod/*"},
          {"refs", {"model:m@v3"}}, {"waves", 2},     {"resume_at", resume_at}, {"steps", std::move(steps)}};
}

struct Follower {
  FakeClock clock{1'000'000};
  Pace pace{clock, [this](std::int64_t ms) { clock.advance_us(ms * 1000); }};
};

Json environment(const std::string& name, std::vector<std::string> after, const std::string& tenants_of = {}) {
  model::Environment made;
  made.name = name;
  made.after = std::move(after);
  made.tenants_of = tenants_of;
  return model::to_json(made);
}
Json runs(const std::string& where, int version, const std::string& label = "none") {
  const auto ref = "m@v" + std::to_string(version);
  return {{"environment", where},
          {"name", "m"},
          {"kind", "model"},
          {"ref", ref},
          {"started_at", "2026-11-29T10:00:00Z"},
          {"members", {{{"ref", ref}, {"digest", std::to_string(version)}, {"sensitivity", label}}}}};
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("promote with a selector starts a rollout and tells each step once") {
  FakeSession session({"m@v3"});
  session.options = {{"--to", {"prod/*"}}, {"--wave", {"1, 50%"}}, {"--pause", {"10m"}}};
  session.fake.answer("POST /api/v1/rollouts",
                      rollout("running", {step("prod/a", "waiting"), step("prod/b", "waiting", 2)}));
  session.fake.answer(
      "GET /api/v1/rollouts/019384a2-7b1c",
      rollout("paused", {step("prod/a", "done"), step("prod/b", "waiting", 2)}, "2026-11-29T10:00:00Z"));
  session.fake.answer("GET /api/v1/rollouts/019384a2-7b1c",
                      rollout("done", {step("prod/a", "done"), step("prod/b", "unchanged", 2)}));
  Follower follower;
  CHECK(*run_rollout(session, {}, follower.pace) == kExitDone);
  CHECK(session.fake.calls[0].body == Json{{"ref", "m@v3"},
                                           {"with", Json::array()},
                                           {"to", "prod/*"},
                                           {"reason", ""},
                                           {"on_failure", "stop"},
                                           {"wave", {"1", "50%"}},
                                           {"pause", "10m"}});
  CHECK(session.err.find("prod/a  done") == session.err.rfind("prod/a  done"));
  CHECK(has(session.err, "prod/b  unchanged"));
  CHECK(has(session.out, "wave 2"));
}

TEST_CASE("a rollout that stops, waits for approval or takes too long has its own exit code") {
  Follower follower;
  FakeSession session;
  CHECK(*follow_rollout(session, rollout("stopped", {step("prod/a", "failed")}), {}, follower.pace) == kExitRefused);
  CHECK(*follow_rollout(session, rollout("paused", {step("prod/a", "planned")}), {}, follower.pace) == kExitRefused);
  CHECK(*follow_rollout(session, rollout("paused", {step("prod/a", "done"), step("prod/b", "waiting", 2)}), {},
                        follower.pace) == kExitDone);
  CHECK(has(session.out, "mlopsctl rollout continue 019384a2-7b1c"));
  session.fake.answer("GET /api/v1/rollouts", rollout("running", {step("prod/a", "waiting")}));
  const auto late =
      follow_rollout(session, rollout("running", {step("prod/a", "waiting")}), {WhenPending::kStop, 60}, follower.pace);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kTimeout);
}

TEST_CASE("options of waves belong to selectors, and a selector takes no plan") {
  FakeSession waves({"m@v3"});
  waves.options = {{"--to", {"prod"}}, {"--waves", {"2"}}};
  CHECK(kPromoteCommand.run(waves) == kExitUsage);
  FakeSession plan({"m@v3"});
  plan.options = {{"--to", {"prod/*"}}, {"--plan", {"019384a2"}}};
  CHECK(kPromoteCommand.run(plan) == kExitUsage);
}

TEST_CASE("the board marks what differs from the environment before, and the sensitivity") {
  FakeSession session;
  session.options = {{"--as-of", {"2026-11-29T15:00:00Z"}}};
  session.fake.answer(
      "GET /api/v1/environments",
      Json{{"items", {environment("staging", {}), environment("prod", {"staging"})}}, {"next", nullptr}});
  session.fake.answer("GET /api/v1/status",
                      Json{{"items", {runs("staging", 3), runs("prod", 2, "personal")}}, {"next", nullptr}});
  REQUIRE(kBoardCommand.run(session) == kExitDone);
  CHECK(has(session.out, "v3 5h"));
  CHECK(has(session.out, "v2*[P] 5h"));
}

TEST_CASE("a wide board folds the tenants into one column") {
  std::vector<Json> environments{environment("staging", {})};
  std::vector<Json> running{runs("staging", 3)};
  for (int i = 0; i < 9; ++i) {
    const auto name = "prod/t" + std::to_string(i);
    environments.push_back(environment(name, {"staging"}, "prod"));
    if (i < 8) running.push_back(runs(name, i < 6 ? 3 : 2));
  }
  FakeSession session;
  session.fake.answer("GET /api/v1/environments", Json{{"items", environments}, {"next", nullptr}});
  session.fake.answer("GET /api/v1/status", Json{{"items", running}, {"next", nullptr}});
  REQUIRE(kBoardCommand.run(session) == kExitDone);
  CHECK(has(session.out, "v3 ×6, v2* ×2, none ×1"));
}

TEST_CASE("the graph shows what comes after several environments once") {
  FakeSession session;
  session.fake.answer(
      "GET /api/v1/environments",
      Json{{"items",
            {environment("a", {}), environment("b", {"a"}), environment("c", {"a"}), environment("d", {"b", "c"})}},
           {"next", nullptr}});
  REQUIRE(kEnvGraphCommand.run(session) == kExitDone);
  CHECK(session.out == "a  (none)\n├─ b  (none)\n│  └─ d  (none)\n└─ c  (none)\n   └─ d  (see above)\n");
}
