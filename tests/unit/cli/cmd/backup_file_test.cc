// The backup file: what its bytes are, and that nothing that happens to them goes unseen.
#include "cli/cmd/backup_file.h"

#include <random>

#include "tests/unit/cli/cmd/backup_fixture.h"
#include "tests/unit/storage/cas/append_frame.h"

using namespace mlops;
using namespace mlops::cli;
using namespace mlops::cli::test;

TEST_CASE("a head comes back from its bytes, at its own place only") {
  BackupHead head;
  head.type = BackupType::kDatabase;
  head.item = 7;
  head.at = 640;
  head.born_us = 123'456'789;
  head.offset = 1ull << 40;
  head.size_bytes = 65;
  head.digest = crypto::sha256("x");
  const auto bytes = backup_head_bytes(head);
  const auto back = parse_backup_head(bytes, 640);
  REQUIRE(back);
  CHECK(back->type == BackupType::kDatabase);
  CHECK(back->item == 7);
  CHECK(back->born_us == head.born_us);
  CHECK(back->offset == head.offset);
  CHECK(back->size_bytes == 65);
  CHECK(back->digest == head.digest);
  CHECK(back->end() == 640 + 128 + 128);
  CHECK_FALSE(parse_backup_head(bytes, 704));
  CHECK_FALSE(parse_backup_head(ByteView(bytes).first(127), 640));
}

TEST_CASE("a head with any one bit wrong is none") {
  BackupHead head;
  head.size_bytes = 1000;
  auto bytes = backup_head_bytes(head);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    INFO("bit " << bit);
    CHECK_FALSE(parse_backup_head(bytes, 0));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
}

TEST_CASE("a snapshot's description comes back") {
  BackupSnapshot snapshot;
  snapshot.number = 3;
  snapshot.at = "2026-11-23T20:15:01.123456Z";
  snapshot.server_version = "mlopsd 1";
  snapshot.audit_entries = 12;
  snapshot.audit_head = "ab";
  snapshot.chain = 2;
  snapshot.database_bytes = 99;
  snapshot.database_digest = crypto::sha256("db");
  snapshot.packs = {{26, 1'700'000'000'123'456, 64}};
  snapshot.damaged_places = 1;
  const auto back = parse_snapshot(snapshot_document(snapshot));
  REQUIRE(back);
  CHECK(snapshot_document(*back) == snapshot_document(snapshot));
  CHECK(back->packs[0].id == 26);
  CHECK(back->packs[0].born_us == 1'700'000'000'123'456);
  CHECK(parse_snapshot("{}").error().slug == "backup_damaged");
  CHECK(parse_snapshot("[").error().slug == "backup_damaged");
}

TEST_CASE("an empty file is a backup without snapshots, anything else that is none is left alone") {
  BackupWorld world;
  world.write("");
  CHECK(world.file().snapshots().empty());
  world.write(
      "a letter to somebody, longer than a head of a record is, so that it could be taken for one if nobody looked");
  CHECK(BackupFile::open(posix_env(), world.path).error().slug == "not_a_backup");
  const auto before = world.content();
  CHECK(world.run().error().slug == "not_a_backup");
  CHECK(world.content() == before);
}

TEST_CASE("cut at any byte, a file still has every snapshot that ends before the cut, and a run mends it") {
  BackupWorld world;
  REQUIRE(world.run());
  const auto first_end = world.content().size();
  world.server.add_frame(2, 130, 4);
  world.server.database[10] ^= 1;
  REQUIRE(world.run());
  const auto whole = world.content();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("cut at " << size);
    world.write(std::string_view(whole).substr(0, size));
    const auto file = world.file();
    const std::size_t expected = size < first_end ? 0 : 1;
    REQUIRE(file.snapshots().size() == expected);
    REQUIRE(file.damage().empty());
    const auto report = verify_backup(file, {});
    REQUIRE(report);
    REQUIRE(report->damage.empty());
    REQUIRE(report->is_whole() == (size == 0 || size == first_end));
  }
  for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{200}, first_end / 2, first_end - 1, first_end + 1,
                          first_end + 200, whole.size() - 1}) {
    INFO("cut at " << size);
    world.write(std::string_view(whole).substr(0, size));
    REQUIRE(world.run());
    const auto report = world.verify();
    CHECK(report.is_whole());
    CHECK(world.file().snapshots().size() == (size < first_end ? 1 : 2));
  }
}

TEST_CASE("a power cut leaves every snapshot that was told of, and a run mends the rest") {
  BackupWorld world;
  REQUIRE(world.run());
  const auto told = world.content().size();
  for (std::uint32_t id = 3; id < 9; ++id) {
    world.server.begin_pack(id, id);
    world.server.add_frame(id, 3000, id);
  }
  world.server.database = noise(3000, 8);
  REQUIRE(world.run());
  const auto whole = world.content();
  const auto synced = world.file().snapshots().back().record_at;  // before its own record is written
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    // What was not synced: any length, some sectors never written.
    const bool was_ending = round % 4 == 0;
    const auto from = was_ending ? synced : told;
    const auto to = was_ending ? whole.size() : synced;
    auto left = whole.substr(0, from + random() % (to - from + 1));
    for (auto at = from; at < left.size(); at += 512) {
      if (random() % 4 == 0) std::fill_n(left.begin() + at, std::min<std::size_t>(512, left.size() - at), '\0');
    }
    INFO("round " << round);
    world.write(left);
    const auto file = world.file();
    REQUIRE(file.damage().empty());
    REQUIRE(file.snapshots().size() == (left == whole ? 2 : 1));
    if (round % 10 == 0) {
      REQUIRE(world.run());
      REQUIRE(world.verify().is_whole());
    }
  }
}

TEST_CASE("any flipped bit is seen by verify") {
  BackupWorld world;
  REQUIRE(world.run());
  world.server.add_frame(2, 130, 4);
  world.server.database[10] ^= 1;
  REQUIRE(world.run());
  const auto whole = world.content();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    INFO("byte " << at << " of " << whole.size());
    world.write(bytes);
    const auto file = BackupFile::open(posix_env(), world.path);
    REQUIRE(file);
    const auto report = verify_backup(*file, {});
    REQUIRE(report);
    REQUIRE_FALSE(report->is_whole());
  }
}

TEST_CASE("reading goes on behind a damaged head, and nothing is added to such a file") {
  BackupWorld world;
  REQUIRE(world.run());
  REQUIRE(world.run());
  auto bytes = world.content();
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  world.write(bytes);
  const auto file = world.file();
  CHECK(file.snapshots().size() == 2);
  REQUIRE(file.damage().size() == 1);
  CHECK(file.damage()[0].at == 0);
  CHECK(world.run().error().slug == "backup_damaged");
  CHECK(world.content() == bytes);
}

TEST_CASE("a backup file inside a backup file is not taken for records") {
  BackupWorld inner;
  REQUIRE(inner.run());
  const auto content = inner.content();
  BackupWorld world;
  auto& pack = world.server.packs[2].bytes;
  cas::PackEntry entry;
  entry.raw_bytes = entry.stored_bytes = static_cast<std::uint32_t>(content.size());
  entry.key.digest = crypto::sha256(content);
  cas::append_frame(pack, entry, as_bytes(content));
  REQUIRE(world.run());
  auto bytes = world.content();
  bytes[0] = 'X';  // reading has to look for the next head
  world.write(bytes);
  const auto damaged = world.file();
  const auto heads = damaged.heads().size();
  bytes[0] = 'M';
  world.write(bytes);
  CHECK(world.file().heads().size() == heads + 1);
}

TEST_CASE("two writers at once: the second one is told so") {
  BackupWorld world;
  const auto first = BackupWriter::open(posix_env(), world.path);
  REQUIRE(first);
  const auto second = BackupWriter::open(posix_env(), world.path);
  REQUIRE_FALSE(second);
  CHECK(second.error().slug == "backup_in_use");
}
