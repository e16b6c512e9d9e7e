// Rollouts without their thread: waves, pauses, failures, the way back, and what a crash between two steps leaves.
#include "daemon/domain/rollouts.h"

#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

const std::string kEnvironments =
    "  - {name: staging, clearance: none}\n"
    "  - name: prod\n"
    "    clearance: none\n"
    "    after: [staging]\n"
    "    tenants: [acme, globex, initech]\n";

struct Fixture : DomainFixture {
  Fixture() {
    environments(kEnvironments);
    model_version("m", "1");
    REQUIRE(promote("m@v1", "staging"));
  }
  RolloutView begin(RolloutRequest request) {
    if (request.refs.empty()) request.refs = {"m@v1"};
    if (request.selector.empty()) request.selector = "prod/*";
    auto view = rollouts.start(dora(), request, Commit::kKeep);
    if (!view) FAIL(view.error().message);
    return *view;
  }
  // Works until there is nothing to do now; gives the states in order.
  std::string work(const std::string& id) {
    for (int i = 0; i < 100; ++i) {
      const auto worked = rollouts.work_once();
      if (!worked) FAIL(worked.error().message);
      if (!*worked) break;
    }
    return states(id);
  }
  std::string states(const std::string& id) {
    const auto view = rollouts.get(id);
    REQUIRE(view);
    auto text = view->row.state + ":";
    for (const auto& step : view->steps) text += " " + step.state;
    return text;
  }
  // v1 runs for every tenant, v2 has been staged, and globex refuses what is new.
  void globex_refuses_v2() {
    for (const auto* tenant : {"prod/acme", "prod/globex", "prod/initech"}) REQUIRE(promote("m@v1", tenant));
    model_version("m", "2");
    REQUIRE(promote("m@v2", "staging"));
    environments(
        "  - {name: prod/globex, clearance: none, after: [staging], freezes: [{from: 2000-01-01, to: 2100-01-01}]}\n");
  }
};

}  // namespace

TEST_CASE("a rollout promotes every environment once, each with its own plan") {
  Fixture f;
  const auto id = f.begin({}).row.id;
  CHECK(f.work(id) == "done: done done done");
  CHECK(f.running("m", "prod/initech") == "m@v1");
  CHECK(f.count("plans") == 4);
  CHECK(f.count("deployments") == 4);
  // Once more changes nothing.
  CHECK(f.work(f.begin({}).row.id) == "done: unchanged unchanged unchanged");
  CHECK(f.count("deployments") == 4);
  f.verified();
}

TEST_CASE("waves stand apart by their pause, timed or until somebody continues") {
  Fixture f;
  const auto timed = f.begin({.waves = {"1", "100%"}, .pause_s = 600}).row.id;
  CHECK(f.work(timed) == "paused: done waiting waiting");
  f.clock.advance_us(599'000'000);
  CHECK(f.work(timed) == "paused: done waiting waiting");
  f.clock.advance_us(2'000'000);
  CHECK(f.work(timed) == "done: done done done");
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v2", "staging"));
  const auto manual = f.begin({.refs = {"m@v2"}, .wave_count = 3, .pause_s = -1}).row.id;
  CHECK(f.work(manual) == "paused: done waiting waiting");
  f.clock.advance_us(900'000'000);
  CHECK(f.work(manual) == "paused: done waiting waiting");
  REQUIRE(f.rollouts.go_on(f.dora(), manual, Commit::kKeep));
  CHECK(f.work(manual) == "paused: done done waiting");
  REQUIRE(f.rollouts.stop(f.dora(), manual, "enough", Commit::kKeep));
  CHECK(f.work(manual) == "stopped: done done skipped");
  CHECK(f.rollouts.go_on(f.dora(), manual, Commit::kKeep).error().slug == "rollout_over");
  CHECK(f.rollouts.stop(f.dora(), manual, "again", Commit::kKeep).error().slug == "rollout_over");
  f.verified();
}

TEST_CASE("the first failure stops the rest, and leaves it untouched") {
  Fixture f;
  f.globex_refuses_v2();
  const auto id = f.begin({.refs = {"m@v2"}}).row.id;
  CHECK(f.work(id) == "stopped: done failed skipped");
  CHECK(f.running("m", "prod/acme") == "m@v2");
  CHECK(f.running("m", "prod/globex") == "m@v1");
  CHECK(f.running("m", "prod/initech") == "m@v1");
  CHECK(f.rollouts.get(id)->row.state_reason.find("freeze") != std::string::npos);
  f.verified();
}

TEST_CASE("with rollback on failure what was changed goes back; what stood before is left alone") {
  Fixture f;
  f.globex_refuses_v2();
  const auto id = f.begin({.refs = {"m@v2"}, .rollback_on_failure = true}).row.id;
  CHECK(f.work(id) == "stopped: rolled_back failed skipped");
  CHECK(f.running("m", "prod/acme") == "m@v1");
  // Promoted there by somebody else before: unchanged by the rollout, and not taken back.
  f.clock.advance_us(1'000'000);
  REQUIRE(f.promotion.promote(f.dora(), {{"m@v2"}, "prod/acme", "meant", false, true}, Commit::kKeep));
  CHECK(f.work(f.begin({.refs = {"m@v2"}, .rollback_on_failure = true}).row.id) == "stopped: unchanged failed skipped");
  CHECK(f.running("m", "prod/acme") == "m@v2");
  f.verified();
}

TEST_CASE("a step that was executed before a crash could record it is not executed again") {
  Fixture f;
  const auto id = f.begin({}).row.id;
  REQUIRE(*f.rollouts.work_once());  // the plan of the first step is recorded
  CHECK(f.states(id) == "running: planned waiting waiting");
  const auto plan = f.rollouts.get(id)->steps[0].plan_id;
  REQUIRE(f.promotion.promote_plan(f.dora(), plan, Commit::kKeep));
  CHECK(f.work(id) == "done: done done done");
  CHECK_FALSE(f.rollouts.get(id)->steps[0].deployment_id.empty());
  CHECK(f.promotion.deployments({.environment = "prod/acme"})->size() == 1);
  f.verified();
}

TEST_CASE("a step that waits for approvals pauses; a rejected plan fails") {
  Fixture f;
  f.environments("  - {name: prod/acme, clearance: none, after: [staging], protection: {approvals: 1}}\n");
  const auto id = f.begin({}).row.id;
  CHECK(f.work(id) == "paused: planned waiting waiting");
  const auto plan = f.rollouts.get(id)->steps[0].plan_id;
  CHECK(f.rollouts.get(id)->row.state_reason.find(plan) != std::string::npos);
  REQUIRE(f.rollouts.go_on(f.dora(), id, Commit::kKeep));
  CHECK(f.work(id) == "paused: planned waiting waiting");
  REQUIRE(f.promotion.decide(f.omar(), {plan, ApprovalRequest::Decision::kApprove, "fine"}, Commit::kKeep));
  REQUIRE(f.rollouts.go_on(f.dora(), id, Commit::kKeep));
  CHECK(f.work(id) == "done: done done done");
}

TEST_CASE("a rollout stops when its token is revoked; who continues it lends it their own") {
  Fixture f;
  const auto id = f.begin({.wave_count = 3, .pause_s = -1}).row.id;
  CHECK(f.work(id) == "paused: done waiting waiting");
  const auto rita = f.person("rita", model::Role::kRelease);
  REQUIRE(f.rollouts.go_on(rita, id, Commit::kKeep));
  REQUIRE(f.identity->revoke_token(f.dora(), f.dora().principal.token_id));
  CHECK(f.work(id) == "paused: done done waiting");
  CHECK(f.promotion.deployments({.environment = "prod/globex"})->front().by == "rita");
  REQUIRE(f.rollouts.go_on(rita, id, Commit::kKeep));
  REQUIRE(f.identity->revoke_token(rita, rita.principal.token_id));
  CHECK(f.work(id) == "stopped: done done skipped");
  CHECK(f.running("m", "prod/initech") == "nothing_runs");
}

TEST_CASE("what cannot be started is said before anything is kept") {
  Fixture f;
  const auto error = [&](RolloutRequest request) {
    const auto view = f.rollouts.start(f.dora(), request, Commit::kKeep);
    REQUIRE_FALSE(view);
    return view.error().slug;
  };
  CHECK(error({.refs = {"m@v1"}, .selector = "nowhere/*"}) == "no_environment_matches");
  CHECK(error({.refs = {"m@v1"}, .selector = "prod/*", .waves = {"0"}}) == "bad_waves");
  CHECK(error({.refs = {"m@v9"}, .selector = "prod/*"}) == "version_not_found");
  CHECK(error({.refs = {}, .selector = "prod/*"}) == "missing_field");
  const auto dry = f.rollouts.start(f.dora(), {.refs = {"m@v1"}, .selector = "prod/*"}, Commit::kDryRun);
  REQUIRE(dry);
  CHECK(dry->steps.size() == 3);
  CHECK(f.count("rollouts") == 0);
  CHECK_FALSE(*f.rollouts.work_once());
}

TEST_CASE("who started a rollout approves none of its steps, whoever continued it") {
  Fixture f;
  f.environments(
      "  - {name: region/one, clearance: none}\n"
      "  - {name: region/two, clearance: none, protection: {approvals: 1}}\n");
  auto starter = f.dora();
  starter.principal.scopes.push_back(model::Scope::kReleaseApprove);
  f.model_version("w", "1");
  const auto rita = f.person("rita", model::Role::kRelease);
  const auto id = f.begin({.refs = {"w@v1"}, .selector = "region/*", .wave_count = 2, .pause_s = -1}).row.id;
  CHECK(f.work(id) == "paused: done waiting");
  REQUIRE(f.rollouts.go_on(rita, id, Commit::kKeep));
  CHECK(f.work(id) == "paused: done planned");
  const auto plan_id = f.rollouts.get(id)->steps.back().plan_id;
  const auto own = f.promotion.decide(starter, {plan_id, ApprovalRequest::Decision::kApprove, "fine"}, Commit::kKeep);
  REQUIRE_FALSE(own);
  CHECK(own.error().slug == "own_plan");
  REQUIRE(f.promotion.decide(f.omar(), {plan_id, ApprovalRequest::Decision::kApprove, "fine"}, Commit::kKeep));
  REQUIRE(f.rollouts.go_on(rita, id, Commit::kKeep));
  CHECK(f.work(id) == "done: done done");
  f.verified();
}

TEST_CASE("a rollout enters again what an environment was rolled back from only when it says so") {
  Fixture f;
  for (const auto* tenant : {"prod/acme", "prod/globex", "prod/initech"}) REQUIRE(f.promote("m@v1", tenant));
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v2", "staging"));
  REQUIRE(f.promote("m@v2", "prod/acme"));
  REQUIRE(f.rollback("m", "prod/acme"));
  CHECK(f.work(f.begin({.refs = {"m@v2"}}).row.id) == "stopped: failed skipped skipped");
  const auto id = f.begin({.refs = {"m@v2"}, .accepts_rejected = true}).row.id;
  CHECK(f.rollouts.get(id)->row.accepts_rejected);
  CHECK(f.work(id) == "done: done done done");
  f.verified();
}

TEST_CASE("a named release goes out in waves, and back to what it took the places of") {
  Fixture f;
  for (const auto* tenant : {"prod/acme", "prod/globex", "prod/initech"}) REQUIRE(f.promote("m@v1", tenant));
  f.model_version("m", "2");
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}}, {}}, Commit::kKeep));
  REQUIRE(f.promote("release:stack@r1", "staging"));
  f.environments(
      "  - {name: prod/globex, clearance: none, after: [staging], freezes: [{from: 2000-01-01, to: 2100-01-01}]}\n");
  RolloutRequest both{.refs = {"release:stack@r1", "m@v1"}, .selector = "prod/*"};
  CHECK(f.rollouts.start(f.dora(), both, Commit::kDryRun).error().slug == "bad_reference");
  CHECK(
      f.rollouts.start(f.dora(), {.refs = {"release:stack@r7"}, .selector = "prod/*"}, Commit::kDryRun).error().slug ==
      "release_not_found");
  const auto id = f.begin({.refs = {"release:stack@r1"}, .rollback_on_failure = true}).row.id;
  CHECK(f.work(id) == "stopped: rolled_back failed skipped");
  CHECK(f.running("m", "prod/acme") == "m@v1");
  f.verified();
}

TEST_CASE("soak time is counted over releases that follow each other without a gap, and ends with the run") {
  Fixture f;
  f.environments("  - {name: live, clearance: none, after: [staging], soak: 2h}\n");
  const auto gate = [&] {
    const auto plan = f.promotion.plan(f.dora(), {{"m@v1"}, "live", "because"});
    REQUIRE(plan);
    const auto* soak = gate_named(*plan, "soak");
    REQUIRE(soak);
    return soak->verdict;
  };
  CHECK(gate() == model::Verdict::kFail);
  f.clock.advance_us(3'600'000'000);
  // Another release that holds the same version replaces the first: it runs on.
  f.model_version("scaler", "s");
  REQUIRE(f.promotion.promote(f.dora(), {{"m@v1", "scaler@v1"}, "staging", "with scaler"}, Commit::kKeep));
  f.clock.advance_us(3'700'000'000);
  CHECK(gate() == model::Verdict::kPass);
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v2", "staging"));
  CHECK(gate() == model::Verdict::kFail);
  REQUIRE(f.rollback("m", "staging"));
  CHECK(gate() == model::Verdict::kFail);
}

TEST_CASE("a version of one tenant does not enter the environment of another, nor what is made from it") {
  Fixture f;
  auto data = f.wanted(ArtifactKind::kDataset, "patients", "x,y\n1,2\n");
  data.sensitivity = Sensitivity::kNone;
  data.labels = {{"tenant", "acme"}};
  const auto source = f.add(data);
  auto trained = f.wanted(ArtifactKind::kModel, "t", "weights");
  trained.sensitivity = Sensitivity::kNone;
  trained.inputs = {{source.version.ref(), "train"}};
  f.add(trained);
  REQUIRE(f.promote("t@v1", "staging"));
  REQUIRE(f.promote("t@v1", "prod/acme"));
  const auto refused = f.promote("t@v1", "prod/globex");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("tenant") != std::string::npos);
  f.verified();
}
