// Backups on the server's side: a state that stays readable whatever happens to the store meanwhile.
#include "daemon/domain/backup.h"

#include <filesystem>
#include <fstream>

#include "storage/audit/audit_log.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::test;
using domain::Backups;

namespace {

struct Fixture : DomainFixture {
  domain::BackupState start() {
    auto state = backups->start(dora(), std::nullopt);
    if (!state) FAIL(state.error().message);
    return *state;
  }
  std::string read(const std::string& id, const std::string& name) {
    const auto reader = backups->open_item(id, name);
    if (!reader) FAIL(reader.error().message);
    std::string bytes((*reader)->size_bytes(), '\0');
    const auto got = (*reader)->read_at(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    REQUIRE(got);
    CHECK(*got == bytes.size());
    return bytes;
  }
  bool is_there(const std::string& id) const { return std::filesystem::exists(dir / "blobs/backup/" + id); }

  std::unique_ptr<Backups> backups = Backups::open(*store, content).value();
};

}  // namespace

TEST_CASE("a backup lists the database and every pack, and hands out their bytes") {
  Fixture f;
  f.model_version("m", std::string(100'000, 'x'));
  const auto state = f.start();
  REQUIRE(state.items.size() == 2);
  CHECK(state.items[0].name == "mlops.db");
  CHECK(state.items[1].name == "00000001.pack");
  const auto database = f.read(state.id, "mlops.db");
  CHECK(crypto::sha256(database) == state.items[0].digest);
  const auto pack = f.read(state.id, "00000001.pack");
  CHECK(pack == read_file(f.dir / "blobs/packs/00000001.pack").value());
  CHECK(cas::parse_pack_head(as_bytes(pack))->created_at_us == state.items[1].created_at_us);

  CHECK(f.backups->open_item(state.id, "../packs/00000001.pack").error().slug == "item_not_found");
  REQUIRE(f.backups->end(state.id));
  CHECK_FALSE(f.is_there(state.id));
  CHECK(f.backups->end(state.id).error().slug == "backup_not_found");
  CHECK(f.backups->open_item(state.id, "mlops.db").error().slug == "backup_not_found");
}

TEST_CASE("starting one is an audit entry, and it is in the copy") {
  Fixture f;
  const auto state = f.start();
  std::ofstream(f.dir / "copy", std::ios::binary) << f.read(state.id, "mlops.db");
  const auto copy = sql::Connection::open(f.dir / "copy", sql::OpenMode::kReader);
  REQUIRE(copy);
  const auto entries = audit::list_entries(**copy, {.action = "backup.create"});
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().at("target") == state.id);
  CHECK(entries->front().at("hash") == state.audit.hash);
  CHECK(entries->front().at("seq") == state.audit.entries);
}

TEST_CASE("a pack that is moved or removed meanwhile can still be read to its end") {
  Fixture f;
  f.model_version("m", std::string(100'000, 'x'));
  const auto state = f.start();
  const auto before = read_file(f.dir / "blobs/packs/00000001.pack").value();
  REQUIRE(f.content.packs().complete_active_pack());
  REQUIRE(f.content.packs().move_to_trash(f.content.packs().packs().front().slot, "run"));
  std::filesystem::remove_all(f.dir / "blobs/trash/run");
  CHECK(f.read(state.id, "00000001.pack") == before);
  // And the next backup knows that it is gone.
  CHECK(f.start().items.size() == 1);
}

TEST_CASE("what grows meanwhile is not part of it") {
  Fixture f;
  f.model_version("m", std::string(1000, 'x'));
  const auto state = f.start();
  f.model_version("n", std::string(1000, 'y'));
  CHECK(f.read(state.id, "00000001.pack").size() < std::filesystem::file_size(f.dir / "blobs/packs/00000001.pack"));
}

TEST_CASE("half a frame that nobody was told of is not listed") {
  Fixture f;
  f.model_version("m", std::string(1000, 'x'));
  const auto whole = std::filesystem::file_size(f.dir / "blobs/packs/00000001.pack");
  std::ofstream(f.dir / "blobs/packs/00000001.pack", std::ios::binary | std::ios::app) << std::string(100, 'z');
  const auto state = f.start();
  CHECK(state.items.at(1).size_bytes == whole);
}

TEST_CASE("a database that does not go on from the caller's copy is refused") {
  Fixture f;
  const auto state = f.start();
  CHECK(f.backups->start(f.dora(), state.audit));
  auto other = state.audit;
  other.hash[0] = other.hash[0] == '0' ? '1' : '0';
  CHECK(f.backups->start(f.dora(), other).error().slug == "backup_diverged");
  CHECK(f.backups->start(f.dora(), domain::AuditHead{1'000'000, state.audit.hash}).error().slug == "backup_diverged");
}

TEST_CASE("one that nobody reads from ends; one that is read goes on") {
  Fixture f;
  f.model_version("m", "bytes");
  const auto state = f.start();
  f.clock.advance_us(Backups::kIdleLimitUs - 1);
  f.read(state.id, "mlops.db");
  f.clock.advance_us(Backups::kIdleLimitUs - 1);
  f.backups->end_idle();
  CHECK(f.is_there(state.id));
  const auto reader = f.backups->open_item(state.id, "00000001.pack");
  f.clock.advance_us(Backups::kIdleLimitUs + 1);
  f.backups->end_idle();
  CHECK(f.backups->open_item(state.id, "mlops.db").error().slug == "backup_not_found");
  std::uint8_t byte = 0;
  CHECK((*reader)->read_at(0, {&byte, 1}) == 1);
}

TEST_CASE("the oldest ends when there are too many, and a restart leaves nothing") {
  Fixture f;
  const auto first = f.start();
  for (std::size_t i = 0; i < Backups::kSessionsMax; ++i) {
    f.clock.advance_us(1'000'000);
    f.start();
  }
  CHECK_FALSE(f.is_there(first.id));
  // As after a kill: the folder is still full.
  std::filesystem::create_directories(f.dir / "blobs/backup/left/over");
  f.backups.reset();
  f.backups = Backups::open(*f.store, f.content).value();
  CHECK(std::filesystem::is_empty(f.dir / "blobs/backup"));
}
