// Releases, deployments as intervals, plans by prefix, revisions.
#include "storage/meta/releases.h"

#include "storage/meta/identity.h"
#include "storage/meta/lineage.h"
#include "storage/meta/revisions.h"
#include "tests/unit/storage/meta/store_fixture.h"

using namespace mlops;
using namespace mlops::meta;
using model::ArtifactKind;
using test::StoreFixture;

namespace {

constexpr const char* kPlanId = "01900000-0000-7000-8000-000000000001";

struct Fixture : StoreFixture {
  Fixture() {
    REQUIRE(write([](WriteTx& tx) {
      tx.begin_entry("plan.create", "plan");
      return insert_plan(
          tx, {kPlanId, "sha256:" + std::string(64, 'a'), "promote", "open", "prod", "{}", "who", tx.now_us()});
    }));
  }

  ReleaseRow release(const std::vector<model::Version>& members) {
    ReleaseRow row;
    REQUIRE(write([&](WriteTx& tx) -> Status {
      tx.begin_entry("release", "release");
      MLOPS_ASSIGN(row, upsert_release(tx, members));
      return {};
    }));
    return row;
  }

  // Runs the release in prod from now on, instead of what ran; gives the deployment's id.
  std::string deploy(const ReleaseRow& release, const std::string& replaces = {}) {
    clock.advance_us(1'000'000);
    DeploymentRow row;
    REQUIRE(write([&](WriteTx& tx) -> Status {
      tx.begin_entry("release.promote", "prod");
      if (!replaces.empty()) MLOPS_TRY(close_deployment(tx, replaces));
      row = {tx.new_id(), "prod",    release.kind, release.name, release.id,  0,
             kPlanId,     "promote", "",           "who",        tx.now_us(), {}};
      return insert_deployment(tx, row);
    }));
    return row.id;
  }

  std::vector<std::string> environments(const model::Version& version, TimestampUs at = 0) {
    return read<std::vector<std::string>>([&](sql::Connection& c) { return environments_of(c, version.id, at); })
        .value();
  }
  std::vector<DeploymentRow> deployments(const DeploymentFilter& filter) {
    return read<std::vector<DeploymentRow>>([&](sql::Connection& c) { return list_deployments(c, filter); }).value();
  }
};

}  // namespace

TEST_CASE("the same versions in the same order are the same release") {
  Fixture f;
  const auto m = f.add_version(ArtifactKind::kModel, "m", "1");
  const auto d = f.add_version(ArtifactKind::kDataset, "d", "1");
  const auto first = f.release({m, d});
  CHECK(first.number == 1);
  CHECK(f.release({m, d}).id == first.id);
  CHECK(f.release({m}).number == 2);
  const auto turned = f.release({d, m});
  CHECK(turned.name == "d");
  CHECK(turned.id != first.id);
  using Versions = std::vector<model::Version>;
  const auto members = f.read<Versions>([&](sql::Connection& c) { return release_members(c, first.id); }).value();
  REQUIRE(members.size() == 2);
  CHECK(members[0].id == m.id);
  CHECK(members[1].id == d.id);
  f.verified();
}

TEST_CASE("what an environment runs is an interval, asked for at any moment") {
  Fixture f;
  const auto one = f.add_version(ArtifactKind::kModel, "m", "1");
  const auto two = f.add_version(ArtifactKind::kModel, "m", "2");
  const auto before = f.clock.now_us() + 500'000;
  const auto first = f.deploy(f.release({one}));
  const auto at_one = f.clock.now_us() + 500'000;
  const auto second = f.deploy(f.release({two}), first);
  CHECK(f.resolve("m#prod", before).error().slug == "nothing_runs");
  CHECK(f.resolve("m#prod", at_one).value().id == one.id);
  CHECK(f.resolve("m#prod").value().id == two.id);
  CHECK(f.environments(one).empty());
  CHECK(f.environments(one, at_one) == std::vector<std::string>{"prod"});
  CHECK(f.environments(two, at_one).empty());
  const auto all = f.deployments({.environment = "prod"});
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == second);
  CHECK_FALSE(all[0].valid_to_us);
  // One moment, no gap and no overlap: the end of one is the beginning of the next.
  CHECK(all[1].valid_to_us == all[0].valid_from_us);
  const auto edge = all[0].valid_from_us;
  CHECK(f.resolve("m#prod", edge).value().id == two.id);
  CHECK(f.resolve("m#prod", edge - 1).value().id == one.id);
  CHECK(f.deployments({.running_only = true}).size() == 1);
  CHECK(f.deployments({.running_only = true, .as_of_us = at_one}).front().id == first);
  CHECK(f.deployments({.as_of_us = at_one}).size() == 1);
  CHECK(f.deployments({.version_id = one.id}).front().id == first);
  CHECK(f.deployments({.name = "m", .after_id = second}).front().id == first);
  f.verified();
}

TEST_CASE("an environment runs one release of a name at a time") {
  Fixture f;
  const auto release = f.release({f.add_version(ArtifactKind::kModel, "m", "1")});
  f.deploy(release);
  const auto twice = f.write([&](WriteTx& tx) {
    tx.begin_entry("release.promote", "prod");
    return insert_deployment(
        tx, {tx.new_id(), "prod", release.kind, "m", release.id, 0, kPlanId, "promote", "", "who", tx.now_us(), {}});
  });
  REQUIRE_FALSE(twice);
  CHECK(twice.error().slug == "constraint");
}

TEST_CASE("a plan is found by id, digest or an unambiguous beginning") {
  Fixture f;
  REQUIRE(f.write([](WriteTx& tx) {
    tx.begin_entry("plan.create", "plan");
    return insert_plan(tx, {"01900000-0000-7000-8000-000000000002", "sha256:" + std::string(63, 'a') + "b", "promote",
                            "open", "prod", "{}", "who", tx.now_us()});
  }));
  const auto find = [&](const std::string& text) {
    return f.read<PlanRow>([&](sql::Connection& c) { return find_plan(c, text); });
  };
  CHECK(find(kPlanId).value().id == kPlanId);
  CHECK(find("sha256:" + std::string(64, 'a')).value().id == kPlanId);
  CHECK(find(std::string(63, 'a') + "b").value().id.back() == '2');
  CHECK(find("01900000").error().slug == "plan_ambiguous");
  CHECK(find("aaaaaaaa").error().slug == "plan_ambiguous");
  CHECK(find("0190000").error().code == ErrorCode::kInvalid);
  CHECK(find("ffffffff").error().slug == "plan_not_found");
  CHECK(find("%%%%%%%%").error().slug == "plan_not_found");
}

TEST_CASE("a revision is never edited: other content closes the one before") {
  StoreFixture f;
  const auto apply = [&](const std::string& digest) {
    Applied applied;
    f.clock.advance_us(1'000'000);
    REQUIRE(f.write([&](WriteTx& tx) -> Status {
      MLOPS_ASSIGN(applied,
                   apply_revision(tx, RevisionKind::kPolicy, {{}, "p", 0, digest, "p.yaml", "body " + digest, {}, 0}));
      return {};
    }));
    return applied;
  };
  CHECK(apply("sha256:1").change == Change::kCreated);
  const auto at_first = f.clock.now_us() + 10;
  CHECK(apply("sha256:1").change == Change::kUnchanged);
  const auto second = apply("sha256:2");
  CHECK(second.change == Change::kUpdated);
  CHECK(second.row.revision == 2);
  CHECK(apply("sha256:1").row.revision == 3);
  const auto at = [&](TimestampUs moment) {
    return f.read<RevisionRow>([&](sql::Connection& c) { return get_revision(c, RevisionKind::kPolicy, "p", moment); });
  };
  CHECK(at(at_first).value().revision == 1);
  CHECK(at(0).value().revision == 3);
  CHECK(at(StoreFixture::kStartUs).error().slug == "policy_not_found");
  CHECK(f.read<RevisionRow>([&](sql::Connection& c) { return get_revision(c, RevisionKind::kEnvironment, "prd"); })
            .error()
            .slug == "environment_not_found");
  CHECK(f.verified().rows == 3);
}

TEST_CASE("an edge is recorded once, and inputs keep the order they were given in") {
  StoreFixture f;
  const auto a = f.add_version(ArtifactKind::kDataset, "a", "1");
  const auto b = f.add_version(ArtifactKind::kDataset, "b", "1");
  const auto m = f.add_version(ArtifactKind::kModel, "m", "1");
  REQUIRE(f.write([&](WriteTx& tx) -> Status {
    tx.begin_entry("edges", "m");
    MLOPS_TRY(insert_edge(tx, b.id, m.id, "train"));
    MLOPS_TRY(insert_edge(tx, a.id, m.id, "test"));
    MLOPS_TRY(insert_edge(tx, b.id, m.id, "train"));
    return insert_edge(tx, a.id, b.id, "masked");
  }));
  using Inputs = std::vector<model::VersionInput>;
  const auto inputs = f.read<Inputs>([&](sql::Connection& c) { return inputs_of(c, m.id); }).value();
  REQUIRE(inputs.size() == 2);
  CHECK(inputs[0].ref == "b@v1");
  CHECK(inputs[1].role == "test");
  CHECK(f.read<Inputs>([&](sql::Connection& c) { return inputs_of(c, b.id); }).value().empty());  // masking is no input
  using Edges = std::vector<EdgeRow>;
  const auto down = f.read<Edges>([&](sql::Connection& c) { return edges_of(c, a.id, Direction::kDown); }).value();
  CHECK(down.size() == 2);
}
