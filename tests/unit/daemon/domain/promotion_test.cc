// Promotion end to end inside the process: what moves, who may say so, and the way back.
#include "daemon/domain/promotion.h"

#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;
using Decision = ApprovalRequest::Decision;

namespace {

const std::string kDev = "  - {name: dev, clearance: child}\n";
const std::string kProd = "  - {name: prod, clearance: none, protection: {approvals: 1, approver_roles: [approver]}}\n";

struct Fixture : DomainFixture {
  Fixture() { environments(kDev + kProd); }
  void three_versions_in_dev() {
    for (int i = 1; i <= 3; ++i) {
      model_version("m", std::to_string(i));
      REQUIRE(promote("m@v" + std::to_string(i), "dev"));
    }
  }
  model::Plan plan_for_prod(const std::string& ref) {
    auto plan = promotion.plan(dora(), {{ref}, "prod", "because"});
    if (!plan) FAIL(plan.error().message);
    return *plan;
  }
};

}  // namespace

TEST_CASE("a rollback goes to the release before, the next one further back, and not past the first") {
  Fixture f;
  f.three_versions_in_dev();
  CHECK(f.running("m", "dev") == "m@v3");
  const auto first = f.rollback("m", "dev");
  REQUIRE(first);
  CHECK(first->deployment->action == "rollback");
  CHECK(first->replaced_ref == "m@v3");
  CHECK(f.running("m", "dev") == "m@v2");
  REQUIRE(f.rollback("m", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  CHECK(f.rollback("m", "dev").error().slug == "no_earlier_release");
  CHECK(f.running("m", "dev") == "m@v1");
  // A new promotion starts over: the release before it is the one it replaced.
  f.model_version("m", "4");
  REQUIRE(f.promote("m@v4", "dev"));
  REQUIRE(f.rollback("model:m", "dev"));
  CHECK(f.running("m", "dev") == "m@v1");
  f.verified();
}

TEST_CASE("a rollback to a number goes only to what ran there") {
  Fixture f;
  f.three_versions_in_dev();
  f.model_version("m", "4");
  CHECK(f.rollback("m", "dev", 4).error().slug == "never_ran_here");
  REQUIRE(f.rollback("m", "dev", 1));
  CHECK(f.running("m", "dev") == "m@v1");
  REQUIRE(f.rollback("m", "dev", 3));
  CHECK(f.running("m", "dev") == "m@v3");
  CHECK(f.rollback("m", "dev", 3)->unchanged);
  CHECK(f.rollback("m", "prod").error().slug == "nothing_runs");
  CHECK(f.rollback("m", "nowhere").error().slug == "environment_not_found");
  CHECK(f.rollback("m@v1", "dev").error().slug == "bad_reference");
  CHECK(f.rollback("absent", "dev").error().slug == "artifact_not_found");
  f.verified();
}

TEST_CASE("deployments are intervals without gap, one for each move") {
  Fixture f;
  f.three_versions_in_dev();
  REQUIRE(f.rollback("m", "dev"));
  const auto history = f.promotion.deployments({.environment = "dev"});
  REQUIRE(history);
  REQUIRE(history->size() == 4);
  CHECK_FALSE(history->at(0).ended_at_us);
  for (std::size_t i = 1; i < 4; ++i) CHECK(history->at(i).ended_at_us == history->at(i - 1).started_at_us);
  CHECK(history->at(0).release == history->at(2).release);  // v2 again: the same release, another deployment
}

TEST_CASE("promoting what runs changes nothing and writes nothing") {
  Fixture f;
  f.three_versions_in_dev();
  const auto before = f.verified();
  const auto again = f.promote("m@v3", "dev");
  REQUIRE(again);
  CHECK(again->unchanged);
  CHECK(again->deployment->members.front().ref == "m@v3");
  CHECK(f.verified().head == before.head);
}

TEST_CASE("a dry run shows the move and makes none") {
  Fixture f;
  f.model_version("m", "1");
  const auto before = f.verified();
  const auto dry = f.promote("m@v1", "dev", Commit::kDryRun);
  REQUIRE(dry);
  CHECK(dry->deployment->environment == "dev");
  CHECK(f.running("m", "dev") == "nothing_runs");
  CHECK(f.count("plans") == 0);
  CHECK(f.verified().head == before.head);
}

TEST_CASE("without its approval nothing moves; the plan waits and the attempt is recorded") {
  Fixture f;
  f.model_version("m", "1");
  const auto pending = f.promote("m@v1", "prod");
  REQUIRE_FALSE(pending);
  CHECK(pending.error().code == ErrorCode::kRefused);
  CHECK(pending.error().slug == "approvals_pending");
  const auto shown = parse_json(pending.error().detail);
  REQUIRE(shown);
  CHECK(shown->at("verdict") == "pending");
  CHECK(f.running("m", "prod") == "nothing_runs");
  const auto id = shown->at("id").get<std::string>();
  CHECK(f.promotion.get_plan(id)->state == "open");
  CHECK(f.integrity.audit_entries({.action = "release.refused"})->size() == 1);
  REQUIRE(f.promotion.decide(f.omar(), {id, Decision::kApprove, "fine"}, Commit::kKeep));
  const auto done = f.promotion.promote_plan(f.dora(), id, Commit::kKeep);
  REQUIRE(done);
  CHECK(done->plan.state == "executed");
  CHECK(f.running("m", "prod") == "m@v1");
  CHECK(f.promotion.promote_plan(f.dora(), id, Commit::kKeep).error().slug == "plan_closed");
  CHECK(f.promotion.decide(f.omar(), {id, Decision::kApprove, ""}, Commit::kKeep).error().slug == "plan_closed");
  f.verified();
}

TEST_CASE("nobody decides a plan of their own, and no service decides any") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan_for_prod("m@v1");
  const auto own = f.promotion.decide(f.dora(), {plan.id, Decision::kApprove, ""}, Commit::kKeep);
  REQUIRE_FALSE(own);
  CHECK(own.error().code == ErrorCode::kDenied);
  CHECK(own.error().slug == "own_plan");
  const auto bot = f.person("bot", model::Role::kApprover, false);
  CHECK(f.promotion.decide(bot, {plan.id, Decision::kApprove, ""}, Commit::kKeep).error().slug == "not_a_person");
  CHECK(f.promotion.decide(f.dora(), {plan.id, Decision::kReject, ""}, Commit::kKeep).error().slug == "own_plan");
  CHECK(f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep).error().slug == "approvals_pending");
  CHECK(f.count("approvals") == 0);
}

TEST_CASE("an approval of somebody without the named role does not count") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan_for_prod("m@v1");
  const auto admin = f.person("ada", model::Role::kAdmin);
  REQUIRE(f.promotion.decide(admin, {plan.id, Decision::kApprove, ""}, Commit::kKeep));
  CHECK(f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep).error().slug == "approvals_pending");
}

TEST_CASE("an approval tried dry counts for nothing") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan_for_prod("m@v1");
  CHECK(f.promotion.decide(f.omar(), {plan.id, Decision::kApprove, ""}, Commit::kDryRun)->verdict ==
        model::Verdict::kPass);
  CHECK(f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep).error().slug == "approvals_pending");
}

TEST_CASE("threat 35: a clock that is set back does not revive an exception that ran out") {
  Fixture f;
  f.policy(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: eyes, version: 1.0.0}\nspec:\n"
      "  gates: [{id: two-eyes, approvals: {count: 1}}]\n"
      "  exceptions: [{id: EX-1, gate: two-eyes, scope: \"*\", reason: pilot, approver: cto, expires: 2023-12-31}]\n");
  f.environments("  - {name: pilot, clearance: child, policies: [eyes]}\n");
  f.model_version("m", "1");
  const auto eyes = [&] {
    const auto plan = f.promotion.plan(f.dora(), {{"m@v1"}, "pilot", "because"});
    REQUIRE(plan);
    return plan->verdict;
  };
  const auto in_time = f.clock.now_us();
  CHECK(eyes() == model::Verdict::kPass);
  f.clock.advance_us(90LL * 24 * 3600 * 1'000'000);
  CHECK(eyes() != model::Verdict::kPass);
  f.clock.set_us(in_time);
  CHECK(eyes() != model::Verdict::kPass);
}

TEST_CASE("a rejected plan is closed for good") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan_for_prod("m@v1");
  CHECK(f.promotion.decide(f.omar(), {plan.id, Decision::kReject, "no"}, Commit::kKeep)->state == "rejected");
  CHECK(f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep).error().slug == "plan_closed");
}

TEST_CASE("an approval is bound to what it was given for: another environment revision makes the plan stale") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan_for_prod("m@v1");
  REQUIRE(f.promotion.decide(f.omar(), {plan.id, Decision::kApprove, ""}, Commit::kKeep));
  f.environments(
      "  - {name: prod, clearance: none, region: eu, protection: {approvals: 1, approver_roles: [approver]}}\n");
  CHECK(f.promotion.get_plan(plan.id)->state == "stale");
  const auto executed = f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep);
  REQUIRE_FALSE(executed);
  CHECK(executed.error().code == ErrorCode::kConflict);
  CHECK(executed.error().slug == "stale_plan");
  CHECK(f.running("m", "prod") == "nothing_runs");
  CHECK(f.promotion.list_plans({.state = "stale"})->size() == 1);
  const auto fresh = f.plan_for_prod("m@v1");
  CHECK(fresh.digest != plan.digest);
  CHECK(f.promotion.promote_plan(f.dora(), fresh.id, Commit::kKeep).error().slug == "approvals_pending");
  f.verified();
}

TEST_CASE("a plan is stale once something else runs in its place") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  const auto first = f.plan_for_prod("m@v1");
  const auto second = f.plan_for_prod("m@v2");
  for (const auto& plan : {first, second}) {
    REQUIRE(f.promotion.decide(f.omar(), {plan.id, Decision::kApprove, ""}, Commit::kKeep));
  }
  REQUIRE(f.promotion.promote_plan(f.dora(), second.id, Commit::kKeep));
  CHECK(f.promotion.promote_plan(f.dora(), first.id, Commit::kDryRun).error().slug == "stale_plan");
  CHECK(f.promotion.list_plans({.state = "stale"})->empty());  // a dry run does not even mark it
  CHECK(f.promotion.promote_plan(f.dora(), first.id, Commit::kKeep).error().slug == "stale_plan");
  CHECK(f.promotion.decide(f.omar(), {first.id, Decision::kApprove, ""}, Commit::kKeep).error().slug == "stale_plan");
  CHECK(f.running("m", "prod") == "m@v2");
}

TEST_CASE("a rollback takes along the approvals its release ran under") {
  Fixture f;
  for (int i = 1; i <= 2; ++i) {
    f.model_version("m", std::to_string(i));
    const auto plan = f.plan_for_prod("m@v" + std::to_string(i));
    REQUIRE(f.promotion.decide(f.omar(), {plan.id, Decision::kApprove, ""}, Commit::kKeep));
    REQUIRE(f.promotion.promote_plan(f.dora(), plan.id, Commit::kKeep));
  }
  REQUIRE(f.rollback("m", "prod"));
  CHECK(f.running("m", "prod") == "m@v1");
}

TEST_CASE("what was deleted after its plan does not move") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.promotion.plan(f.dora(), {{"m@v1"}, "dev", ""});
  REQUIRE(plan);
  REQUIRE(f.registry.remove(f.dora(), "m@v1", "wrong", Commit::kKeep));
  CHECK(f.promotion.promote_plan(f.dora(), plan->id, Commit::kKeep).error().slug == "gates_denied");
  CHECK(f.promote("m@v1", "dev").error().slug == "version_deleted");
  CHECK(f.running("m", "dev") == "nothing_runs");
}

TEST_CASE("a version whose bytes are gone does not move") {
  Fixture f;
  const auto view = f.model_version("m", "1");
  f.content.packs().quarantine({cas::ObjectKind::kChunk, crypto::sha256(std::string_view("1"))});
  const auto refused = f.promote("m@v1", "dev");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "gates_denied");
  CHECK(refused.error().message.find("integrity") != std::string::npos);
  CHECK(f.integrity.fsck(FsckDepth::kStructure).error().slug == "store_broken");
}

TEST_CASE("the order of environments is kept") {
  Fixture f;
  f.environments("  - {name: live, clearance: child, after: [dev]}\n");
  f.model_version("m", "1");
  const auto early = f.promote("m@v1", "live");
  REQUIRE_FALSE(early);
  CHECK(early.error().message.find("order") != std::string::npos);
  REQUIRE(f.promote("m@v1", "dev"));
  CHECK(f.promote("m@v1", "live"));
}

TEST_CASE("a release of one artifact twice, of nothing, or of a bare name is no release") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  const auto promote = [&](const std::vector<std::string>& refs, const std::string& environment = "dev") {
    return f.promotion.promote(f.dora(), {refs, environment, ""}, Commit::kKeep).error().slug;
  };
  CHECK(promote({"m@v1", "m@v2"}) == "duplicate_member");
  CHECK(promote({}) == "missing_field");
  CHECK(promote({"m"}) == "version_needed");
  CHECK(promote({"m@v1"}, "../dev") == "bad_name");
  CHECK(promote({"m@v1"}, "dve") == "environment_not_found");
}

TEST_CASE("a label reaches through every step, and the path to its source is shown") {
  Fixture f;
  auto raw = f.wanted(ArtifactKind::kDataset, "raw", "names");
  raw.sensitivity = Sensitivity::kSpecialCategory;
  f.add(raw);
  auto features = f.wanted(ArtifactKind::kDataset, "features", "numbers");
  features.inputs = {{"raw@v1", "source"}};
  features.sensitivity = Sensitivity::kNone;
  CHECK(f.add(features).version.sensitivity == Sensitivity::kSpecialCategory);
  auto model = f.wanted(ArtifactKind::kModel, "m", "weights");
  model.inputs = {{"features@v1", "train"}};
  const auto view = f.add(model);
  CHECK(view.version.own_sensitivity == Sensitivity::kNone);
  CHECK(view.version.sensitivity == Sensitivity::kSpecialCategory);

  const auto path =
      f.read<std::vector<model::TaintStep>>([&](sql::Connection& c) { return taint_path(c, view.version); });
  REQUIRE(path);
  REQUIRE(path->size() == 3);
  CHECK(path->at(0).ref == "m@v1");
  CHECK(path->at(0).role.empty());
  CHECK(path->at(1).ref == "features@v1");
  CHECK(path->at(1).role == "train");
  CHECK(path->at(2).ref == "raw@v1");
  CHECK(path->at(2).role == "source");

  const auto plan = f.plan_for_prod("m@v1");
  CHECK(plan.verdict == model::Verdict::kFail);
  const auto* gate = gate_named(plan, "clearance");
  REQUIRE(gate != nullptr);
  CHECK(gate->verdict == model::Verdict::kFail);
  CHECK(gate->facts.dump().find("raw@v1") != std::string::npos);
  CHECK_FALSE(gate->would_pass_if.empty());

  const auto up = f.lineage.walk({.ref = "m@v1"});
  REQUIRE(up);
  CHECK(up->nodes.size() >= 3);
}
