// A data directory out of a backup file: what is in it, what is refused, what can be saved of a damaged one.
#include "cli/cmd/backup_restore.h"

#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/cli/cmd/backup_fixture.h"

using namespace mlops;
using namespace mlops::cli;
using namespace mlops::cli::test;

namespace {

struct RestoreWorld : BackupWorld {
  RestoreWorld() { options.directory = directory.path("data"); }
  Result<RestoreReport> restore(std::uint32_t number = 1) {
    const auto opened = file();
    const auto* snapshot = opened.find(number);
    REQUIRE(snapshot != nullptr);
    return restore_backup(opened, *snapshot, options, {});
  }
  std::string restored(const std::string& below) const { return read_file(options.directory + "/" + below).value(); }
  bool left_anything() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path() != path) return true;
    }
    return false;
  }
  RestoreOptions options;
};

std::string_view text_of_bytes(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("each snapshot comes back as it was, with indexes of its packs") {
  RestoreWorld world;
  const auto early = world.server;
  REQUIRE(world.run());
  world.server.add_frame(2, 400, 5);
  world.server.database.back() ^= 1;
  REQUIRE(world.run());
  const auto first = world.restore(1);
  REQUIRE(first);
  CHECK(first->objects == 3);
  CHECK(world.restored("mlops.db") == text_of_bytes(early.database));
  CHECK(world.restored("blobs/packs/00000001.pack") == text_of_bytes(early.packs.at(1).bytes));
  CHECK(world.restored("blobs/packs/00000002.pack") == text_of_bytes(early.packs.at(2).bytes));
  const auto index = cas::parse_index(as_bytes(world.restored("blobs/packs/00000001.idx")));
  REQUIRE(index);
  CHECK(index->pack_id == 1);
  CHECK(index->covered_bytes == early.packs.at(1).bytes.size());
  CHECK(index->entries.size() == 2);

  world.options.directory = world.directory.path("second");
  REQUIRE(world.restore(2));
  CHECK(world.restored("mlops.db") == text_of_bytes(world.server.database));
  CHECK(world.restored("blobs/packs/00000002.pack") == text_of_bytes(world.server.packs.at(2).bytes));
}

TEST_CASE("restoring never writes over data") {
  RestoreWorld world;
  REQUIRE(world.run());
  world.directory.write("data/mlops.db", "precious");
  CHECK(world.restore().error().slug == "directory_not_empty");
  CHECK(world.restored("mlops.db") == "precious");

  world.options.directory = world.directory.path("empty");
  std::filesystem::create_directory(world.options.directory);
  CHECK(world.restore());
}

TEST_CASE("keys are copied when only their owner can read them") {
  RestoreWorld world;
  REQUIRE(world.run());
  world.options.keys = world.directory.path("safe");
  const auto key = world.directory.write("safe/token.key", std::string(64, 'a'));
  world.directory.write("safe/notes", "no key");
  ::chmod(key.c_str(), 0640);
  CHECK(world.restore().error().slug == "key_file_exposed");
  CHECK_FALSE(std::filesystem::exists(world.options.directory));
  ::chmod(key.c_str(), 0600);
  const auto report = world.restore();
  REQUIRE(report);
  CHECK(report->keys == std::vector<std::string>{"token.key"});
  CHECK(world.restored("keys/token.key") == std::string(64, 'a'));
  struct stat info {};
  REQUIRE(::stat((world.options.directory + "/keys/token.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  world.options.directory = world.directory.path("other");
  world.options.keys = world.directory.path("data/blobs");
  CHECK(world.restore().error().slug == "no_keys");
}

TEST_CASE("a dry run reads everything and writes nothing") {
  RestoreWorld world;
  REQUIRE(world.run());
  world.options.writes = RestoreWrites::kNo;
  const auto report = world.restore();
  REQUIRE(report);
  CHECK(report->objects == 3);
  CHECK_FALSE(world.left_anything());
}

TEST_CASE("damage is refused with nothing left behind; salvage gives what is whole") {
  RestoreWorld world;
  REQUIRE(world.run());
  auto bytes = world.content();
  // In the payload of the second frame of pack 1.
  const auto heads = world.file().heads();
  const auto at = heads[0].payload_at() + 64 + 64 + 128 + 100;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  world.write(bytes);
  CHECK(world.restore().error().slug == "backup_damaged");
  CHECK_FALSE(world.left_anything());

  world.options.mode = RestoreMode::kSalvage;
  const auto report = world.restore();
  REQUIRE(report);
  CHECK(report->objects == 2);
  CHECK(report->damage.size() >= 2);
  CHECK(world.restored("blobs/packs/00000001.pack").size() == world.server.packs.at(1).bytes.size());
}

TEST_CASE("salvage fills what is missing with zeros, so that the rest lies where it did") {
  RestoreWorld world;
  REQUIRE(world.run());
  world.server.add_frame(1, 200, 5);
  REQUIRE(world.run());
  auto bytes = world.content();
  bytes[17] = static_cast<char>(bytes[17] ^ 1);  // the head of the first part of pack 1
  world.write(bytes);
  CHECK(world.restore(2).error().slug == "backup_damaged");
  world.options.mode = RestoreMode::kSalvage;
  const auto report = world.restore(2);
  REQUIRE(report);
  CHECK(report->objects == 2);  // the later frame of pack 1, and that of pack 2
  const auto index = cas::parse_index(as_bytes(world.restored("blobs/packs/00000001.idx")));
  REQUIRE(index);
  REQUIRE(index->entries.size() == 1);
  const auto pack = world.restored("blobs/packs/00000001.pack");
  const auto frame = as_bytes(pack).subspan(index->entries[0].offset, index->entries[0].frame_bytes());
  CHECK(cas::check_frame(index->entries[0], frame));
}

TEST_CASE("a database that is damaged cannot be salvaged") {
  RestoreWorld world;
  REQUIRE(world.run());
  auto bytes = world.content();
  const auto heads = world.file().heads();
  for (const auto& head : heads) {
    if (head.type == BackupType::kDatabase) bytes[head.payload_at()] = static_cast<char>(bytes[head.payload_at()] ^ 1);
  }
  world.write(bytes);
  world.options.mode = RestoreMode::kSalvage;
  CHECK(world.restore().error().slug == "backup_damaged");
  CHECK_FALSE(world.left_anything());
}
