// What keeps the bytes of deleted versions: holds, retention rules, open plans; also against what lies in the trash.
#include "daemon/domain/retention.h"

#include "tests/unit/daemon/domain/gc_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

using Fixture = GcFixture;

const GcGroup* group_of(const GcPlan& plan, const std::string& ref) {
  for (const auto& group : plan.groups) {
    if (group.why == GcGroup::Why::kDeleted && group.version.typed_ref() == ref) return &group;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a hold keeps bytes and the version, several overlap, and each ends by its own release") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  const auto first = f.hold("m@v1", "2026-17");
  const auto second = f.hold("m@v1", "2026-18");
  CHECK(f.retention.hold(f.dora(), {"m@v1", "2026-17", "again"}, Commit::kKeep).error().slug == "hold_exists");
  const auto refused = f.registry.remove(f.dora(), "m@v1", "x", Commit::kKeep);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "version_held");
  CHECK(refused.error().message.find("2026-17, 2026-18") != std::string::npos);
  CHECK(f.retention.release(f.dora(), first.row.id, " ", Commit::kKeep).error().slug == "reason_needed");
  REQUIRE(f.retention.release(f.dora(), first.row.id, "closed", Commit::kKeep));
  CHECK(f.retention.release(f.dora(), first.row.id, "closed", Commit::kKeep).error().slug == "hold_released");
  CHECK(f.registry.remove(f.dora(), "m@v1", "x", Commit::kKeep).error().slug == "version_held");
  REQUIRE(f.retention.release(f.dora(), second.row.id, "closed", Commit::kKeep));
  f.remove("m@v1");
  const auto third = f.hold("m@v1", "2026-19");  // also of a deleted one
  CHECK(third.is_whole);
  f.grow_old();
  const auto plan = f.plan();
  REQUIRE(plan.kept.size() == 1);
  CHECK(plan.kept.front().amount.bytes > 200'000);
  CHECK(plan.kept.front().deleted.protections.front().what == "2026-19");
  f.run(0);
  CHECK(f.has(bytes));
  CHECK(f.retention.holds(meta::HoldsShown::kOpen)->size() == 1);
  CHECK(f.retention.holds(meta::HoldsShown::kAll)->size() == 3);
  REQUIRE(f.retention.release(f.dora(), third.row.id.substr(0, 30), "closed", Commit::kKeep));
  f.run(0);
  CHECK_FALSE(f.has(bytes));
  f.verified();
}

TEST_CASE("a hold on a version whose bytes lie in the trash brings them back") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  f.remove("m@v1");
  f.grow_old();
  const auto id = f.run().run.row.id;
  CHECK_FALSE(f.has(bytes));
  const auto held = f.hold("m@v1", "2026-17");
  CHECK(held.restored_runs == std::vector<std::string>{id});
  CHECK(held.is_whole);
  CHECK(f.has(bytes));
  CHECK(f.says("gc.restore"));
  f.grow_old();
  f.run(0);
  CHECK(f.has(bytes));
  f.verified();
}

TEST_CASE("the retention of a kind counts from the deletion, and a hold beats it") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  f.model_version("m", noise(200'000, 2));
  f.rule("kind:model", 90 * kDayS);
  f.rule("kind:dataset", 1);
  f.remove("m@v1");
  f.remove("m@v2");
  f.hold("m@v1", "2026-17");
  f.wait_days(89);
  auto plan = f.plan();
  CHECK(plan.dead.objects == 0);
  REQUIRE(plan.kept.size() == 2);
  CHECK(plan.kept[0].deleted.protections.size() == 2);
  CHECK(plan.kept[1].deleted.protections.front().until_us ==
        plan.kept[1].deleted.version.deleted_at_us + 90 * kDayS * 1'000'000);
  f.wait_days(2);
  plan = f.plan();
  CHECK(plan.kept.size() == 1);
  CHECK(group_of(plan, "model:m@v2"));
  f.run(0);
  CHECK(f.has(bytes));
  CHECK_FALSE(f.has(noise(200'000, 2)));
}

TEST_CASE("the retention of an environment counts from the end of the last deployment there") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  f.model_version("m", noise(200'000, 2));
  f.rule("env:prod", 30 * kDayS);
  REQUIRE(f.promote("m@v1", "prod"));
  f.wait_days(100);
  REQUIRE(f.promote("m@v2", "prod"));
  f.remove("m@v1");
  f.wait_days(29);
  f.run(0);
  CHECK(f.has(bytes));
  REQUIRE(f.plan().kept.size() == 1);
  CHECK(f.plan().kept[0].deleted.protections.front().kind == Protection::Kind::kEnvironment);
  f.wait_days(2);
  f.run(0);
  CHECK_FALSE(f.has(bytes));
}

TEST_CASE("an open plan keeps what it names") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  const auto plan = f.promotion.plan(f.dora(), {{"m@v1"}, "dev", "later"});
  REQUIRE(plan);
  f.remove("m@v1");
  f.grow_old();
  f.run(0);
  CHECK(f.has(bytes));
  const auto why = f.gc.why("m@v1");
  REQUIRE(why);
  CHECK(why->verdict == WhyView::Verdict::kProtected);
  CHECK(why->deleted->protections.front().what == plan->id);
  REQUIRE(f.promotion.decide(f.omar(), {plan->id, ApprovalRequest::Decision::kReject, "no"}, Commit::kKeep));
  f.run(0);
  CHECK_FALSE(f.has(bytes));
}

TEST_CASE("rules are set for what there is, once each, and removed") {
  Fixture f;
  const auto set = [&](const std::string& subject, std::int64_t keep_s) {
    const auto done = f.retention.set_rule(f.dora(), subject, keep_s, "", Commit::kKeep);
    return done ? std::string() : done.error().slug;
  };
  CHECK(set("kind:model", 60).empty());
  CHECK(set("kind:thing", 60) == "bad_subject");
  CHECK(set("model", 60) == "bad_subject");
  CHECK(set("env:", 60) == "bad_name");
  CHECK(set("env:nowhere", 60) == "environment_not_found");
  CHECK(set("env:dev", 60).empty());
  CHECK(set("env:dev", 0) == "bad_duration");
  const auto head = f.verified().head;
  CHECK(set("env:dev", 60).empty());  // as it is: no entry
  CHECK(f.verified().head == head);
  CHECK(set("env:dev", 120).empty());
  REQUIRE(f.retention.rules()->size() == 2);
  CHECK(f.retention.rules()->front().keep_s == 120);
  CHECK(f.retention.remove_rule(f.dora(), "env:dev", "", Commit::kDryRun)->keep_s == 120);
  CHECK(f.retention.remove_rule(f.dora(), "env:dev", "", Commit::kKeep)->keep_s == 120);
  CHECK(f.retention.remove_rule(f.dora(), "env:dev", "", Commit::kKeep).error().slug == "rule_not_found");
  CHECK(f.count("retention_rules") == 3);
  f.verified();
}

TEST_CASE("what became protected in the trash is restored instead of removed") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  f.remove("m@v1");
  f.grow_old();
  f.run();
  f.rule("kind:model", 3650 * kDayS);
  f.wait_days(8);
  CHECK(f.gc.sweep(daemon_actor(), std::nullopt)->empty());
  CHECK(f.has(bytes));
  f.run(0);
  CHECK(f.has(bytes));
  f.verified();
}
