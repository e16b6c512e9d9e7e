// Releases with a name of their own: they move and go back as one, and a rollback brings back all whose places they
// took.
#include <random>
#include <set>

#include "storage/meta/events.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

const std::string kDev = "  - {name: dev, clearance: child}\n";
const std::string kProd =
    "  - {name: prod, clearance: none, protection: {approvals: 2, approver_roles: [approver], plan_valid_hours: 48}}\n";
constexpr std::int64_t kHourUs = 3'600'000'000;

struct Fixture : DomainFixture {
  Fixture() { environments(kDev + kProd); }
  meta::Actor vera() { return person("vera", model::Role::kApprover); }

  model::Plan plan(const std::string& ref, const std::string& environment) {
    clock.advance_us(1'000'000);
    auto made = promotion.plan(dora(), {{ref}, environment, "because"});
    if (!made) FAIL(made.error().message);
    return *made;
  }
  Result<model::Plan> say(const meta::Actor& who, const std::string& plan_id) {
    return promotion.decide(who, {plan_id, ApprovalRequest::Decision::kApprove, "looked at it"}, Commit::kKeep);
  }
  Result<model::PromotionView> execute(const std::string& plan_id) {
    clock.advance_us(1'000'000);
    return promotion.promote_plan(dora(), plan_id, Commit::kKeep);
  }
  // Planned, approved by each, and promoted.
  void enter(const std::string& ref, const std::string& environment, const std::vector<meta::Actor>& by) {
    const auto made = plan(ref, environment);
    for (const auto& who : by) REQUIRE(say(who, made.id));
    const auto done = execute(made.id);
    if (!done) FAIL(done.error().message);
  }
  // Versions v1, v2 … of a model, one for each text of bytes.
  void models(const std::string& name, int count) {
    for (int number = 1; number <= count; ++number) model_version(name, name + std::to_string(number));
  }
};

}  // namespace

TEST_CASE("a named release moves and goes back as one, and is not torn apart") {
  Fixture f;
  f.models("m", 2);
  f.models("thresholds", 2);
  const NewRelease first{"stack", {{"model", "m@v1"}, {"thresholds", "thresholds@v1"}}, {}};
  const auto made = f.promotion.create_release(f.dora(), first, Commit::kKeep);
  if (!made) FAIL(made.error().message);
  CHECK(made->is_new);
  CHECK_FALSE(f.promotion.create_release(f.dora(), first, Commit::kKeep)->is_new);
  CHECK(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v1"}, {"old", "m@v2"}}, {}}, Commit::kKeep)
            .error()
            .slug == "duplicate_member");
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}, {"thresholds", "thresholds@v2"}}, {}},
                                     Commit::kKeep));
  REQUIRE(f.promote("m@v1", "dev"));
  // Takes the place of the model that ran alone.
  REQUIRE(f.promote("release:stack@r1", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.running("thresholds", "dev") == "thresholds@v1");
  const auto torn = f.promote("m@v2", "dev");
  REQUIRE_FALSE(torn);
  CHECK(torn.error().message.find("overlap") != std::string::npos);
  REQUIRE(f.promote("release:stack@r2", "dev"));
  CHECK(f.running("thresholds", "dev") == "thresholds@v2");
  const auto back = f.rollback("release:stack", "dev");
  if (!back) FAIL(back.error().message);
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.running("thresholds", "dev") == "thresholds@v1");
  CHECK(back->replaced_ref == "release:stack@r2");
  CHECK(f.promotion.deployments({.environment = "dev", .running_only = true})->size() == 1);
  CHECK(f.promote("release:stack@r9", "dev").error().slug == "release_not_found");
  f.verified();
}

TEST_CASE("a bundle that took the places of others goes back to all of them at once, and is not made again unasked") {
  Fixture f;
  for (const auto* name : {"m", "thresholds", "extra"}) f.models(name, 2);
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("thresholds@v1", "dev"));
  REQUIRE(f.promotion.create_release(
      f.dora(), {"stack", {{"model", "m@v2"}, {"limits", "thresholds@v2"}, {"more", "extra@v2"}}, {}}, Commit::kKeep));
  const auto moved = f.promote("release:stack@r1", "dev");
  REQUIRE(moved);
  CHECK(moved->took_places == std::vector<std::string>{"m release 1", "thresholds release 1"});
  CHECK(f.running("extra", "dev") == "extra@v2");

  f.clock.advance_us(1'000'000);
  const RollbackRequest request{"release:stack", "dev", 0, "because", {}, "night-1"};
  const auto dry = f.promotion.rollback(f.dora(), {"release:stack", "dev", 0, "because"}, Commit::kDryRun);
  REQUIRE(dry);
  CHECK(f.running("m", "dev") == "m@v2");
  const auto back = f.promotion.rollback(f.dora(), request, Commit::kKeep);
  if (!back) FAIL(back.error().message);
  CHECK(back->replaced_ref == "release:stack@r1");
  REQUIRE(back->restored.size() == 2);
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.running("thresholds", "dev") == "thresholds@v1");
  // Nothing of it ran before the bundle.
  CHECK(f.running("extra", "dev") == "nothing_runs");
  CHECK(f.promotion.deployments({.environment = "dev", .running_only = true})->size() == 2);
  // Each began when the bundle ended.
  const auto bundle = f.promotion.deployments({.id = moved->deployment->id});
  for (const auto& one : back->restored) CHECK(one.started_at_us == bundle->front().ended_at_us);

  // Who listens hears of each of them, and not of the bundle.
  std::vector<std::string> heard;
  const auto listened = f.store->read<bool>([&](sql::Connection& connection) -> Result<bool> {
    MLOPS_ASSIGN(const auto last, meta::last_seq(connection));
    for (auto seq = last - 1; seq <= last; ++seq) {
      MLOPS_ASSIGN(auto event, meta::find_event(connection, seq));
      MLOPS_TRY(meta::complete(connection, event));
      heard.push_back(event.action + " " + event.subject + " " + event.deployment_id);
      CHECK(event.members.size() == 1);
    }
    return true;
  });
  REQUIRE(listened);
  CHECK(heard == std::vector<std::string>{"release.rollback m#dev " + back->restored[0].id,
                                          "release.rollback thresholds#dev " + back->restored[1].id});

  const auto again = f.promotion.rollback(f.dora(), request, Commit::kKeep);
  REQUIRE(again);
  CHECK(again->is_replayed);
  REQUIRE(again->restored.size() == 2);
  CHECK(again->restored.front().id == back->restored.front().id);
  CHECK(gate_named(f.plan("release:stack@r1", "dev"), "rejected")->verdict == model::Verdict::kFail);
  CHECK(f.rollback("release:stack", "dev").error().slug == "no_earlier_release");
  // By its number it comes back; then what stood there has been left, too.
  REQUIRE(f.rollback("release:stack", "dev", 1));
  CHECK(f.running("m", "dev") == "m@v2");
  CHECK(f.rollback("release:stack", "dev").error().slug == "no_earlier_release");
  f.verified();
}

TEST_CASE("rolling back again goes further back, never to what was just left") {
  Fixture f;
  f.models("m", 3);
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("m@v2", "dev"));
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v3"}}, {}}, Commit::kKeep));
  REQUIRE(f.promote("release:stack@r1", "dev"));
  REQUIRE(f.rollback("m", "dev"));
  CHECK(f.running("m", "dev") == "m@v2");
  CHECK(gate_named(f.plan("release:stack@r1", "dev"), "rejected")->verdict == model::Verdict::kFail);
  REQUIRE(f.rollback("m", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.rollback("m", "dev").error().slug == "no_earlier_release");
  f.verified();
}

TEST_CASE("two releases back stands what the first of them took the places of, and never a rejected one") {
  Fixture f;
  f.models("m", 3);
  f.models("d", 3);
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("d@v1", "dev"));
  for (const auto* version : {"@v2", "@v3"}) {
    REQUIRE(f.promotion.create_release(
        f.dora(), {"stack", {{"model", "m" + std::string(version)}, {"other", "d" + std::string(version)}}, {}},
        Commit::kKeep));
  }
  REQUIRE(f.promote("release:stack@r1", "dev"));
  REQUIRE(f.promote("release:stack@r2", "dev"));
  REQUIRE(f.rollback("release:stack", "dev"));
  CHECK(f.running("d", "dev") == "d@v2");
  REQUIRE(f.rollback("release:stack", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.running("d", "dev") == "d@v1");
  CHECK(f.rollback("release:stack", "dev").error().slug == "no_earlier_release");
  f.verified();
}

TEST_CASE("where a later release runs under a name that would come back, the rollback says so and moves nothing") {
  Fixture f;
  for (const auto* name : {"m", "d", "y"}) f.model_version(name, name);
  f.model_version("d", "d2");
  REQUIRE(f.promotion.create_release(f.dora(), {"b", {{"data", "d@v1"}}, {}}, Commit::kKeep));
  REQUIRE(f.promotion.create_release(f.dora(), {"a", {{"model", "m@v1"}, {"data", "d@v2"}}, {}}, Commit::kKeep));
  REQUIRE(f.promotion.create_release(f.dora(), {"b", {{"other", "y@v1"}}, {}}, Commit::kKeep));
  REQUIRE(f.promote("release:b@r1", "dev"));
  REQUIRE(f.promote("release:a@r1", "dev"));
  REQUIRE(f.promote("release:b@r2", "dev"));
  const auto refused = f.rollback("release:a", "dev");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "gates_denied");
  CHECK(refused.error().message.find("overlap") != std::string::npos);
  CHECK(f.promotion.deployments({.environment = "dev", .running_only = true})->size() == 2);
  f.verified();
}

TEST_CASE("of a person's approvals of several releases the weakest counts") {
  Fixture f;
  const std::string loose = "  - {name: live, clearance: none, protection: {approvals: 1}}\n";
  const std::string strict =
      "  - {name: live, clearance: none, protection: {approvals: 1, approver_roles: [approver]}}\n";
  f.models("m", 2);
  f.models("n", 2);
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}, {"other", "n@v2"}}, {}}, Commit::kKeep));
  auto omar_as_admin = f.omar();
  omar_as_admin.principal.roles = {model::Role::kAdmin};
  f.environments(strict);
  f.enter("m@v1", "live", {f.omar()});
  f.environments(loose);
  f.enter("n@v1", "live", {omar_as_admin});
  f.environments(strict);
  f.enter("release:stack@r1", "live", {f.omar()});
  CHECK(f.rollback("release:stack", "live").error().slug == "approvals_pending");
  f.environments(loose);
  REQUIRE(f.rollback("release:stack", "live"));
  f.verified();
}

TEST_CASE("a plan to bring several back is stale when what it leaves has ended, and can be rejected and shown") {
  Fixture f;
  f.environments("  - {name: live, clearance: none, protection: {approvals: 1}}\n");
  f.models("m", 3);
  f.models("n", 3);
  for (const auto* version : {"@v2", "@v3"}) {
    REQUIRE(f.promotion.create_release(
        f.dora(), {"stack", {{"model", "m" + std::string(version)}, {"other", "n" + std::string(version)}}, {}},
        Commit::kKeep));
  }
  f.enter("m@v1", "live", {f.omar()});
  f.enter("n@v1", "live", {f.vera()});
  f.enter("release:stack@r1", "live", {f.omar()});
  REQUIRE_FALSE(f.rollback("release:stack", "live"));
  const auto waiting = f.promotion.list_plans({.state = "open", .environment = "live"})->front();
  REQUIRE(waiting.restores.size() == 2);
  CHECK(waiting.restores.front().ref == "m@v1");
  CHECK(f.promotion.get_plan(waiting.id)->state == "open");
  f.enter("release:stack@r2", "live", {f.omar()});
  CHECK(f.promotion.get_plan(waiting.id)->state == "stale");
  CHECK(f.say(f.vera(), waiting.id).error().slug == "stale_plan");
  CHECK(f.execute(waiting.id).error().slug == "stale_plan");
  f.verified();
}

TEST_CASE("each of several that come back is judged by itself: by its own policies, and fitting its own members") {
  Fixture f;
  f.policy(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: strict, version: 1.0.0}\nspec:\n"
      "  select: {kinds: [model]}\n  gates:\n    - {id: floor, metric: {name: auc, min: 0.8}}\n");
  const auto with_auc = [&](const std::string& name, const std::string& bytes, double auc) {
    auto version = f.wanted(ArtifactKind::kModel, name, bytes);
    version.sensitivity = Sensitivity::kNone;
    version.metrics = {{"auc", auc}};
    f.add(version);
  };
  with_auc("m", "1", 0.9);
  with_auc("n", "1", 0.7);
  with_auc("m", "2", 0.9);
  with_auc("n", "2", 0.7);
  REQUIRE(f.promotion.create_release(f.dora(), {"one", {{"model", "m@v1"}}, {"strict"}}, Commit::kKeep));
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}, {"other", "n@v2"}}, {}}, Commit::kKeep));
  REQUIRE(f.promote("release:one@r1", "dev"));
  REQUIRE(f.promote("n@v1", "dev"));
  REQUIRE(f.promote("release:stack@r1", "dev"));
  const auto back = f.rollback("release:stack", "dev");
  if (!back) FAIL(back.error().message);
  CHECK(f.running("n", "dev") == "n@v1");
  std::size_t floors = 0;
  for (const auto& gate : back->plan.gates) {
    if (gate.id == "floor") ++floors;
    if (gate.kind == "reason") CHECK(gate.verdict == model::Verdict::kPass);
  }
  CHECK(floors == 1);
  // The same facts give the same bytes.
  const auto verified = f.decisions.verify({});
  REQUIRE(verified);
  CHECK(verified->differing.empty());
  f.verified();
}

TEST_CASE("a correction does not reach into what another release took the place of") {
  Fixture f;
  f.models("m", 2);
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}}, {}}, Commit::kKeep));
  f.clock.advance_us(kHourUs);
  const auto moved = f.promote("release:stack@r1", "dev");
  REQUIRE(moved);
  f.clock.advance_us(kHourUs);
  const auto started = moved->deployment->started_at_us;
  const auto correct = [&](TimestampUs to) {
    return f.promotion.correct(f.dora(), {moved->deployment->id, to, "log"}, Commit::kKeep);
  };
  CHECK(correct(started - 60'000'000).error().slug == "bad_correction");
  CHECK(correct(started).error().slug == "bad_correction");
  REQUIRE(correct(started + 60'000'000));
  // It is still known what it took the place of.
  REQUIRE(f.rollback("release:stack", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  f.verified();
}

TEST_CASE("a version that took the place of a bundle goes back to the bundle, with the release that ran beside it") {
  Fixture f;
  f.models("m", 3);
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}}, {}}, Commit::kKeep));
  REQUIRE(f.promote("release:stack@r1", "dev"));
  REQUIRE(f.promote("m@v3", "dev"));
  const auto back = f.rollback("m", "dev");
  if (!back) FAIL(back.error().message);
  CHECK(back->deployment->name == "stack");
  CHECK(back->restored.empty());
  CHECK(f.running("m", "dev") == "m@v2");
  f.verified();
}

TEST_CASE("of several that come back at once, only who approved each counts, and a stored plan brings them back, too") {
  Fixture f;
  f.environments("  - {name: live, clearance: none}\n");
  f.models("m", 2);
  f.models("n", 2);
  REQUIRE(f.promotion.create_release(f.dora(), {"stack", {{"model", "m@v2"}, {"other", "n@v2"}}, {}}, Commit::kKeep));
  const auto nora = f.person("nora", model::Role::kApprover);
  f.enter("m@v1", "prod", {f.omar(), f.vera()});
  f.enter("n@v1", "prod", {f.omar(), nora});
  f.enter("release:stack@r1", "prod", {f.omar(), f.vera()});
  const auto refused = f.rollback("release:stack", "prod");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "approvals_pending");
  // The plan of the refusal waits for people, as any other.
  const auto plans = f.promotion.list_plans({.state = "open", .environment = "prod"});
  REQUIRE(plans->size() == 1);
  const auto& waiting = plans->front();
  REQUIRE(waiting.restores.size() == 2);
  REQUIRE(f.say(f.vera(), waiting.id));
  REQUIRE(f.say(nora, waiting.id));
  const auto done = f.execute(waiting.id);
  if (!done) FAIL(done.error().message);
  CHECK(f.running("m", "prod") == "m@v1");
  CHECK(f.running("n", "prod") == "n@v1");
  f.verified();
}

namespace {

// What must hold whatever is promoted and rolled back; nothing is predicted.
struct Bundles : Fixture {
  static constexpr int kVersions = 3;
  const std::vector<std::string> names{"a", "b", "c"};

  Bundles() {
    for (const auto& name : names) models(name, kVersions);
    bundle("x", {"a@v2", "b@v2"});
    bundle("x", {"a@v3", "b@v3"});
    bundle("x", {"a@v3", "b@v3", "c@v2"});
    bundle("y", {"b@v3", "c@v3"});
    bundle("y", {"c@v2"});
  }
  void bundle(const std::string& name, const std::vector<std::string>& refs) {
    NewRelease wanted{name, {}, {}};
    for (const auto& ref : refs) wanted.members.emplace_back("m-" + ref.substr(0, 1), ref);
    REQUIRE(promotion.create_release(dora(), wanted, Commit::kKeep));
  }
  std::vector<model::DeploymentView> now() {
    return *promotion.deployments({.environment = "dev", .running_only = true});
  }
  std::set<std::string> ids() {
    std::set<std::string> ids;
    for (const auto& one : now()) ids.insert(one.id);
    return ids;
  }
  std::set<std::string> rejected() {
    const auto rows = store->read<std::vector<meta::RejectionRow>>(
        [](sql::Connection& connection) { return meta::list_rejections(connection, "dev"); });
    std::set<std::string> names_of;
    for (const auto& row : *rows) names_of.insert(row.release_name + " " + std::to_string(row.release_number));
    return names_of;
  }
  void each_artifact_runs_once() {
    std::set<std::string> artifacts;
    for (const auto& one : now()) {
      for (const auto& member : one.members) CHECK(artifacts.insert(member.ref.substr(0, 1)).second);
    }
  }
  void nothing_that_runs_is_rejected() {
    const auto out = rejected();
    for (const auto& one : now()) CHECK_FALSE(out.contains(one.name + " " + std::to_string(one.release)));
  }
};

}  // namespace

TEST_CASE(
    "whatever is promoted and rolled back: each artifact runs once, and nothing that was left comes back by itself") {
  Bundles f;
  std::mt19937 random(20'261'129);
  const auto pick = [&](const std::vector<std::string>& of) { return of[random() % of.size()]; };
  std::size_t moves = 0;
  std::size_t several = 0;
  for (int step = 0; step < 400; ++step) {
    const auto before = f.ids();
    const auto left = f.now();
    INFO("step " << step);
    if (random() % 3 != 0) {
      const auto ref = pick({"a@v1", "a@v2", "b@v1", "b@v3", "c@v1", "c@v3", "release:x@r1", "release:x@r2",
                             "release:x@r3", "release:y@r1", "release:y@r2"});
      f.clock.advance_us(1'000'000);
      const auto done =
          f.promotion.promote(f.dora(), {{ref}, "dev", "because", false, random() % 4 != 0}, Commit::kKeep);
      if (!done) CHECK(f.ids() == before);
      moves += done && !done->unchanged ? 1 : 0;
    } else {
      const auto done = f.rollback(pick({"a", "b", "c", "release:x", "release:y"}), "dev");
      if (!done) {
        CHECK(f.ids() == before);
        CHECK(done.error().slug != "constraint");
        continue;
      }
      ++moves;
      several += done->restored.size() > 1 ? 1 : 0;
      // What ended is not what began.
      for (const auto& one : f.now()) {
        if (before.contains(one.id)) continue;
        for (const auto& old : left)
          CHECK_FALSE((old.name == one.name && old.kind == one.kind && old.release == one.release));
      }
    }
    f.each_artifact_runs_once();
    f.nothing_that_runs_is_rejected();
  }
  CHECK(moves > 100);
  CHECK(several > 3);
  f.verified();
}
