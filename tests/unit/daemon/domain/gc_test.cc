// Garbage collection over a real content store: what goes and why, what a run leaves
// behind, how it is undone, and what keeps an object.
#include "daemon/domain/gc.h"

#include <atomic>
#include <thread>
#include <utility>

#include "tests/unit/daemon/domain/gc_fixture.h"
#include "tests/unit/storage/blob/fault_env.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

using Fixture = GcFixture;

std::vector<std::string> versions_of(const GcRunView& run) {
  std::vector<std::string> refs;
  const auto receipt = parse_json(run.row.receipt);
  REQUIRE(receipt);
  for (const auto& version : receipt->at("versions")) refs.push_back(version.at("ref"));
  return refs;
}

const GcGroup* group_of(const GcPlan& plan, const std::string& ref) {
  for (const auto& group : plan.groups) {
    if (group.why == GcGroup::Why::kDeleted && group.version.typed_ref() == ref) return &group;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a plan tells what goes and why, what is too young, and changes nothing") {
  Fixture f;
  f.model_version("m", noise(300'000, 1));
  f.model_version("m", noise(300'000, 2));
  REQUIRE(f.content.put(noise(300'000, 3)));
  f.remove("m@v1");
  const auto young = f.plan();
  CHECK(young.dead.objects == 0);
  CHECK(young.young.bytes > 600'000);
  f.grow_old();
  const auto before = f.verified().head;
  const auto plan = f.plan();
  CHECK(f.verified().head == before);
  CHECK(plan.damaged.empty());
  CHECK(plan.kept.empty());
  CHECK(plan.young.objects == 0);
  CHECK(plan.live.bytes > 300'000);
  REQUIRE(plan.groups.size() == 2);
  const auto* deleted = group_of(plan, "model:m@v1");
  REQUIRE(deleted);
  CHECK(deleted->version.deleted_reason == "wrong");
  CHECK(deleted->version.deleted_at_us > 0);
  CHECK(deleted->dead.bytes > 300'000);
  CHECK(plan.groups.back().why == GcGroup::Why::kUnregistered);
  CHECK(plan.groups.back().dead.bytes > 300'000);
  CHECK(deleted->dead.bytes + plan.groups.back().dead.bytes == plan.dead.bytes);
  CHECK(deleted->dead.objects + plan.groups.back().dead.objects == plan.dead.objects);
}

TEST_CASE("a run takes what nothing needs, leaves the rest, and its receipt is in the log") {
  Fixture f;
  const auto gone = noise(300'000, 1);
  const auto stays = noise(300'000, 2);
  const auto stray = noise(200'000, 3);
  f.model_version("m", gone);
  f.model_version("m", stays);
  REQUIRE(f.content.put(stray));
  f.remove("m@v1");
  f.grow_old();
  const auto planned = f.plan().dead;
  const auto outcome = f.run();
  CHECK(outcome.run.state == "done");
  CHECK(outcome.swept.empty());
  REQUIRE(outcome.run.trash);
  CHECK(versions_of(outcome.run) == std::vector<std::string>{"model:m@v1"});
  const auto receipt = parse_json(outcome.run.row.receipt).value();
  CHECK(receipt.at("objects") == planned.objects);
  CHECK(receipt.at("dead").at("bytes") == planned.bytes);
  CHECK(receipt.at("digest").get<std::string>().starts_with("sha256:"));
  CHECK_FALSE(f.has(gone));
  CHECK_FALSE(f.has(stray));
  CHECK(f.has(stays));
  CHECK(f.plan().dead.objects == 0);
  CHECK(f.says("gc.start"));
  CHECK(f.says("gc.run"));
  CHECK(f.integrity.fsck(FsckDepth::kReadData));  // a tombstone without bytes is no damage
  f.verified();
}

TEST_CASE("what live versions share with a deleted one stays") {
  Fixture f;
  auto wide = noise(400'000, 1);
  f.model_version("m", wide);
  const auto head = wide;
  wide += noise(200'000, 2);
  f.model_version("m", wide);
  f.remove("m@v1");
  f.grow_old();
  f.run(0);
  CHECK(f.has(wide));
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
}

TEST_CASE("a tree's list of files is kept with its version and goes with it") {
  Fixture f;
  const auto tree_of = [&](const std::string& name, const std::string& own) {
    auto version = f.wanted(ArtifactKind::kDataset, name, own, "part-000");
    for (int i = 1; i < 300; ++i)
      version.files.push_back({fmt::format("part-{:03}", i), version.files[0].digest, own.size()});
    f.add(version);
  };
  tree_of("stays", noise(100'000, 1));
  tree_of("goes", noise(100'000, 2));
  f.remove("dataset:goes@v1");
  f.grow_old();
  f.run(0);
  CHECK(f.registry.files("dataset:stays@v1")->size() == 300);
  CHECK_FALSE(f.has(noise(100'000, 2)));
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
  CHECK(f.gc.why("dataset:goes@v1")->verdict == WhyView::Verdict::kGone);
}

TEST_CASE("a run can be undone while it is in the trash") {
  Fixture f;
  const auto bytes = noise(200'000, 1);
  f.model_version("m", bytes);
  f.remove("m@v1");
  f.grow_old();
  const auto id = f.run().run.row.id;
  CHECK(f.gc.restore(f.dora(), "0000", Commit::kKeep).error().slug == "bad_id");
  CHECK(f.gc.restore(f.dora(), "00000000", Commit::kKeep).error().slug == "gc_run_not_found");
  REQUIRE(f.gc.restore(f.dora(), id, Commit::kDryRun));
  CHECK_FALSE(f.has(bytes));
  const auto restored = f.gc.restore(f.dora(), id, Commit::kKeep);
  REQUIRE(restored);
  CHECK(restored->row.restored_at_us);
  CHECK_FALSE(restored->trash);
  CHECK(f.has(bytes));
  CHECK(f.gc.restore(f.dora(), id, Commit::kKeep).error().slug == "trash_not_found");
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
  f.verified();
}

TEST_CASE("the trash is emptied when its time is over, which the log says first") {
  Fixture f;
  f.model_version("m", noise(200'000, 1));
  f.remove("m@v1");
  f.grow_old();
  const auto id = f.run().run.row.id;
  f.wait_days(6);
  CHECK(f.gc.sweep(daemon_actor(), std::nullopt)->empty());
  CHECK(f.gc.why("m@v1")->verdict == WhyView::Verdict::kInTrash);
  CHECK(f.gc.why("m@v1")->trash_run == id);
  f.wait_days(2);
  CHECK(f.gc.sweep(daemon_actor(), std::nullopt)->size() == 1);
  CHECK(f.says("gc.sweep"));
  const auto runs = f.gc.runs({});
  REQUIRE(runs->size() == 1);
  CHECK(runs->front().row.swept_at_us);
  CHECK_FALSE(runs->front().trash);
  CHECK(f.gc.why("m@v1")->verdict == WhyView::Verdict::kGone);
  CHECK(f.gc.restore(f.dora(), id, Commit::kKeep).error().slug == "trash_not_found");
  CHECK(f.hold("m@v1", "2026-17").is_whole == false);  // too late, and it says so
  f.verified();
}

TEST_CASE("a run refuses while bytes of a version are missing, unless it is told to go on") {
  Fixture f;
  const auto bytes = noise(20'000, 1);
  f.model_version("m", bytes);
  f.model_version("n", noise(20'000, 2));
  f.remove("n@v1");
  f.content.packs().quarantine({cas::ObjectKind::kChunk, crypto::sha256(bytes)});
  f.grow_old();
  CHECK(f.plan().damaged == std::vector<std::string>{"model:m@v1"});
  const auto refused = f.gc.run(f.dora(), {.reason = "tidy"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "store_damaged");
  CHECK(f.has(noise(20'000, 2)));
  CHECK(f.count("gc_runs") == 0);
  REQUIRE(f.gc.run(f.dora(), {.reason = "tidy", .damage = Damage::kDespite}));
  CHECK_FALSE(f.has(noise(20'000, 2)));
  CHECK(f.gc.run(f.dora(), {.reason = " "}).error().slug == "reason_needed");
}

TEST_CASE("why follows the path down from the version to the chunk") {
  Fixture f;
  const auto bytes = noise(900'000, 1);
  const auto view = f.model_version("hospital/x", bytes);
  const auto blob = crypto::sha256(bytes);
  const auto chunks = f.content.chunks_of(blob, 0, bytes.size(), 1000);
  REQUIRE(chunks->size() > 3);
  const auto names = [](const WhyView& why) {
    std::string words;
    for (const auto& step : why.path) words += (words.empty() ? "" : " ") + step.kind;
    return words;
  };
  auto why = f.gc.why(chunks->back().digest.to_string());
  REQUIRE(why);
  CHECK(why->verdict == WhyView::Verdict::kLive);
  CHECK(names(*why) == "version manifest file node chunk");
  CHECK(why->path.front().name == "model:hospital/x@v1");
  CHECK(why->path[1].digest == view.version.digest.to_string());
  CHECK(why->path[2].name == "f");
  CHECK(why->path.back().digest == chunks->back().digest.to_string());
  CHECK(names(*f.gc.why(why->path[3].digest)) == "version manifest file node");
  CHECK(names(*f.gc.why(blob.hex())) == "version manifest file");
  CHECK(names(*f.gc.why(view.version.digest.to_string())) == "version manifest");
  CHECK(names(*f.gc.why("hospital/x@v1")) == "version manifest");
  CHECK(f.gc.why("sha256:" + std::string(64, '0')).error().slug == "object_unknown");
  CHECK(f.gc.why("sha256:1234").error().slug == "bad_target");
  CHECK(f.gc.why("hospital/x").error().slug == "version_needed");
  CHECK(f.gc.why("hospital/x@v9").error().slug == "version_not_found");
  f.remove("hospital/x@v1");
  why = f.gc.why(chunks->back().digest.to_string());
  CHECK(why->verdict == WhyView::Verdict::kLeased);
  CHECK(names(*why) == "version manifest file node chunk");
  f.grow_old();
  CHECK(f.gc.why(chunks->back().digest.to_string())->verdict == WhyView::Verdict::kNothing);
  f.hold("hospital/x@v1", "2026-17");
  CHECK(f.gc.why(chunks->back().digest.to_string())->verdict == WhyView::Verdict::kProtected);
}

TEST_CASE("nothing can be registered on condemned bytes; sent again they are kept") {
  Fixture f;
  const auto bytes = noise(300'000, 1);
  auto again = f.wanted(ArtifactKind::kModel, "m", bytes);
  f.add(again);
  f.remove("m@v1");
  f.grow_old();
  auto collection = cas::Collection::start(f.content, 24 * kHourUs);
  REQUIRE(collection);
  (*collection)->condemn();
  const auto refused = f.registry.register_version(f.dora(), again, Commit::kKeep);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "blobs_missing");
  REQUIRE(f.content.put(bytes));
  CHECK(f.registry.register_version(f.dora(), again, Commit::kKeep)->created);
  REQUIRE((*collection)->move_to_trash("test"));
  CHECK(f.has(bytes));
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
}

// Between the look for its bytes and its row: what was found first is condemned while the rest is still looked for.
TEST_CASE("bytes condemned after a registration looked for them are looked for again in the writer") {
  Fixture f;
  FaultEnv env(posix_env());
  cas::ContentStoreOptions options;
  options.packs.root = f.dir / "other";
  options.packs.low_water_percent = 0;
  auto content = cas::ContentStore::open(options, env, f.clock);
  REQUIRE(content);
  auto& packs = (*content)->packs();
  Registry registry(*f.store, **content);
  const auto first = (*content)->put("looked for first");
  const auto second = (*content)->put(noise(900'000, 1));  // finding it reads its recipe
  REQUIRE((first && second));
  const auto at = packs.locate({cas::ObjectKind::kChunk, first->digest});
  REQUIRE(at);
  NewVersion wanted;
  wanted.name = "m";
  wanted.files = {{"a", first->digest, first->size_bytes}, {"b", second->digest, second->size_bytes}};
  bool is_condemned = false;
  env.fail_when([&](const std::string& call) {
    if (call == "read_at" && !std::exchange(is_condemned, true)) {
      packs.set_states(at->first.pack, {at->first.entry}, cas::EntryState::kCondemned);
    }
    return false;
  });
  const auto refused = registry.register_version(f.dora(), wanted, Commit::kKeep);
  CHECK(is_condemned);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "blobs_missing");
  REQUIRE((*content)->put("looked for first"));
  CHECK(registry.register_version(f.dora(), wanted, Commit::kKeep)->created);
}

// No young age and no leases: whatever is not registered at the moment of condemning goes, however lately it was sent.
TEST_CASE("registering, deleting and collecting at the same time never leaves a version without its bytes") {
  Fixture f;
  const auto dora = f.dora();
  std::atomic<bool> is_over{false};
  std::atomic<int> registered{0};
  std::atomic<int> refused{0};
  std::thread pusher([&] {
    for (std::uint64_t round = 0; !is_over; ++round) {
      const auto bytes = noise(3000, round % 3);
      if (!f.content.put(bytes)) continue;
      NewVersion wanted;
      wanted.name = "m";
      wanted.files = {{"f", crypto::sha256(bytes), bytes.size()}};
      const auto done = f.registry.register_version(dora, wanted, Commit::kKeep);
      ++(done ? registered : refused);
      if (done && round % 2 == 0) (void)f.registry.remove(dora, done->view.version.ref(), "again", Commit::kKeep);
    }
  });
  int runs = 0;
  std::string failed;
  while (runs < 30 && failed.empty()) {
    const auto outcome = f.gc.run(dora, {.reason = "tidy", .min_age_s = 0, .grace_s = 0});
    if (!outcome) failed = outcome.error().slug;
    ++runs;
  }
  is_over = true;
  pusher.join();
  CHECK(failed.empty());
  CHECK(registered > 0);
  const auto checked = f.integrity.fsck(FsckDepth::kReadData);
  if (!checked) FAIL(checked.error().message);
  f.verified();
}

TEST_CASE("young and leased bytes stay") {
  Fixture f;
  const auto old = noise(100'000, 1);
  const auto fresh = noise(100'000, 2);
  REQUIRE(f.content.put(old));
  f.grow_old();
  f.content.lease(crypto::sha256(old));  // a push was told that it is here
  const auto plan = f.plan();
  CHECK(plan.dead.objects == 0);
  CHECK(plan.young.objects > 0);
  f.run(0);
  CHECK(f.has(old));
  f.grow_old();
  REQUIRE(f.content.put(fresh));
  f.run(0);
  CHECK(f.has(fresh));
}
