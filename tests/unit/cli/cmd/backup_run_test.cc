// Runs of a backup against a server in memory: what is fetched, what is refused, what is seen.
#include "cli/cmd/backup_run.h"

#include "cli/cmd/backup_database.h"
#include "tests/unit/cli/cmd/backup_fixture.h"

using namespace mlops;
using namespace mlops::cli;
using namespace mlops::cli::test;

TEST_CASE("the first run brings everything, the next one what is new") {
  BackupWorld world;
  const auto first = world.run();
  REQUIRE(first);
  CHECK(first->parts == 2);
  CHECK(first->snapshot.number == 1);
  CHECK(world.server.ended == 1);

  world.server.fetched_bytes = 0;
  const auto same = world.run();
  REQUIRE(same);
  CHECK(same->parts == 0);
  CHECK(world.server.fetched_bytes == world.server.database.size());
  CHECK(same->added_bytes < 1100);  // one record that says it is there

  world.server.add_frame(2, 1000, 5);
  world.server.begin_pack(3, 3'000'000);
  world.server.add_frame(3, 10, 6);
  const auto grown = world.run();
  REQUIRE(grown);
  CHECK(grown->parts == 2);
  CHECK(world.verify().is_whole());
  CHECK(world.file().snapshots().size() == 3);
}

TEST_CASE("of the database only changed blocks are kept, and a new chain begins in time") {
  BackupWorld world;
  world.server.database = noise(10 * kDatabaseBlockBytes + 77, 1);
  REQUIRE(world.run());
  for (std::uint32_t i = 2; i <= 2 * kChainSnapshots + 1; ++i) {
    world.server.database[(i % 10) * kDatabaseBlockBytes + 5] ^= 0x55;
    if (i == 4) world.server.database.resize(world.server.database.size() + 3000, 9);
    const auto outcome = world.run();
    REQUIRE(outcome);
    INFO("snapshot " << i);
    const bool begins_chain = (i - 1) % kChainSnapshots == 0;
    CHECK(outcome->snapshot.chain == (i - 1) / kChainSnapshots * kChainSnapshots + 1);
    CHECK((outcome->added_bytes > 8 * kDatabaseBlockBytes) == begins_chain);
  }
  CHECK(world.verify().is_whole());
}

TEST_CASE("an interrupted run goes on where it was") {
  BackupWorld world;
  for (std::uint32_t id = 3; id < 13; ++id) {
    world.server.begin_pack(id, id);
    world.server.add_frame(id, 10'000, id);
  }
  world.server.fail_after_bytes = 60'000;
  CHECK(world.run().error().slug == "connection_lost");
  const auto left = world.content().size();
  CHECK(left > 40'000);
  CHECK(world.file().snapshots().empty());

  world.server.fail_after_bytes = ~std::uint64_t{0};
  world.server.fetched_bytes = 0;
  REQUIRE(world.run());
  CHECK(world.server.fetched_bytes < 70'000);
  CHECK(world.verify().is_whole());
}

TEST_CASE("what an interrupted run left is kept only when it is whole") {
  BackupWorld world;
  world.server.add_frame(1, 5000, 3);
  world.server.fail_after_bytes = 5700;
  CHECK_FALSE(world.run());
  auto bytes = world.content();
  REQUIRE(bytes.size() > 5500);
  bytes[3000] = static_cast<char>(bytes[3000] ^ 1);
  world.write(bytes);
  world.server.fail_after_bytes = ~std::uint64_t{0};
  REQUIRE(world.run());
  CHECK(world.verify().is_whole());
}

TEST_CASE("a bit that flips on the way is told from one that the server's disk has wrong") {
  BackupWorld world;
  world.server.bad_fetches = 1;
  CHECK(world.run().error().slug == "transfer_damaged");
  CHECK(world.file().snapshots().empty());
  const auto again = world.run();  // nothing of what came wrong is built on
  REQUIRE(again);
  CHECK(again->damaged.empty());
  CHECK(world.verify().came_damaged.empty());

  world.server.add_frame(1, 300, 7);
  world.server.add_frame(1, 300, 8);
  world.server.packs[1].bytes[world.server.packs[1].bytes.size() - 500] ^= 4;
  const auto rotten = world.run();
  REQUIRE(rotten);
  REQUIRE(rotten->damaged.size() == 1);
  CHECK(rotten->damaged[0].pack == "00000001");
  CHECK(rotten->snapshot.damaged_places == 1);
  const auto report = world.verify();
  CHECK(report.is_whole());
  CHECK(report.came_damaged.size() == 1);
}

TEST_CASE("the database must be the one that the server told of") {
  BackupWorld world;
  const auto source = world.server.source();
  auto lying = source;
  lying.fetch = [&](const std::string& id, const std::string& item, std::uint64_t begin, std::uint64_t end,
                    const std::function<Status(ByteView)>& sink) {
    if (item == "mlops.db") world.server.database[0] ^= 1;
    return source.fetch(id, item, begin, end, sink);
  };
  auto writer = BackupWriter::open(posix_env(), world.path);
  REQUIRE(writer);
  BackupRun run(*writer, lying);
  REQUIRE(run.plan());
  CHECK(run.execute({}).error().slug == "transfer_damaged");
  CHECK(world.file().snapshots().empty());
}

TEST_CASE("a server that was set back never continues a file that saw its other future") {
  BackupWorld world;
  REQUIRE(world.run());
  const auto early = world.server;
  world.server.add_frame(2, 100, 5);
  REQUIRE(world.run());

  world.server = early;
  world.server.future = "other";
  world.server.add_frame(2, 100, 6);
  world.server.add_entry();
  const auto refused = world.run();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "backup_diverged");
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(world.file().snapshots().size() == 2);
}

TEST_CASE("packs with other bytes are refused although the audit log agrees") {
  BackupWorld world;
  REQUIRE(world.run());
  auto& pack = world.server.packs[2].bytes;
  pack.resize(cas::kPackHeadBytes);
  world.server.add_frame(2, 64, 33);
  world.server.add_frame(2, 64, 34);
  CHECK(world.run().error().slug == "backup_diverged");
  pack.resize(cas::kPackHeadBytes);
  CHECK(world.run().error().slug == "backup_diverged");
}

TEST_CASE("an unfinished rest of another future is dropped, the snapshots go on") {
  BackupWorld world;
  REQUIRE(world.run());
  const auto early = world.server;
  world.server.add_frame(2, 5000, 5);
  world.server.fail_after_bytes = world.server.fetched_bytes + 5500;
  CHECK_FALSE(world.run());
  REQUIRE(world.file().unfinished().size() == 1);

  world.server = early;
  world.server.add_frame(2, 6000, 6);
  REQUIRE(world.run());
  CHECK(world.verify().is_whole());
}

TEST_CASE("an id that comes again is another pack when it was born at another time") {
  BackupWorld world;
  REQUIRE(world.run());
  world.server.begin_pack(2, 9'000'000);
  world.server.add_frame(2, 50, 44);
  const auto outcome = world.run();
  REQUIRE(outcome);
  CHECK(outcome->parts == 1);
  CHECK(world.verify().is_whole());
}

TEST_CASE("frames are scanned however the bytes arrive") {
  for (const std::size_t piece : {1u, 63u, 64u, 65u, 1u << 20}) {
    BackupWorld world;
    world.server.piece_bytes = piece;
    world.server.add_frame(1, 3000, 9);
    const auto outcome = world.run();
    REQUIRE(outcome);
    CHECK(outcome->damaged.empty());
    CHECK(world.verify().is_whole());
  }
}

TEST_CASE("an answer that is not understood is no backup") {
  for (const auto* answer :
       {R"({})", R"({"id":"x","items":[{"name":"../etc","size_bytes":64}]})",
        R"({"id":"x","items":[{"name":"mlops.db","size_bytes":0,"digest":"sha256:00"}]})",
        R"({"id":"x","items":[{"name":"00000001.pack","size_bytes":65,"created_at":"2026-01-01"}]})"}) {
    CHECK(BackupOffer::parse(Json::parse(answer)).error().slug == "bad_answer");
  }
}
