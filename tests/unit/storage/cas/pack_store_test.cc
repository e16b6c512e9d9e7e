// Packs while they are used: appended, found, rolled over, synced, damaged and healed. What happens at a start is
// tested in pack_recovery_test.cc.
#include "storage/cas/pack_store.h"

#include <set>

#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::random_bytes;
using test::sha;

namespace {

ObjectKey chunk_key(std::string_view payload) {
  return {ObjectKind::kChunk, sha(payload)};
}

Status append(PackStore& packs, std::string_view payload, OwnerTag owner = kEveryone) {
  const NewObject object{chunk_key(payload), Encoding::kRaw, static_cast<std::uint32_t>(payload.size()),
                         as_bytes(payload)};
  return packs.append({&object, 1}, owner);
}

std::string read(PackStore& packs, const ObjectKey& key, OwnerTag viewer = kEveryone) {
  std::vector<std::uint8_t> buffer;
  const auto object = packs.read(key, buffer, viewer);
  if (!object) return "error " + object.error().slug;
  if (!*object) return "absent";
  return {reinterpret_cast<const char*>((*object)->payload.data()), (*object)->payload.size()};
}

std::vector<std::string> payloads(std::size_t count, std::size_t size = 300) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(random_bytes(i + 1, size));
  return out;
}

void check_all(PackStore& packs, const std::vector<std::string>& wanted) {
  for (const auto& payload : wanted) CHECK((read(packs, chunk_key(payload)) == payload));
}

}  // namespace

TEST_CASE("what is appended is found and read, one by one and many at once") {
  CasBox box;
  auto& packs = box.packs();
  const auto all = payloads(10);
  std::vector<NewObject> objects;
  for (const auto& payload : all) objects.push_back({chunk_key(payload), Encoding::kRaw, 300, as_bytes(payload)});
  CHECK_FALSE(packs.find(objects[0].key));
  REQUIRE(packs.append(objects, kEveryone));
  REQUIRE(packs.append({}, kEveryone));
  REQUIRE(append(packs, ""));
  check_all(packs, all);
  CHECK(read(packs, chunk_key("")).empty());
  CHECK(read(packs, chunk_key("other")) == "absent");
  CHECK(read(packs, {ObjectKind::kNode, sha(all[0])}) == "absent");
  const auto entry = packs.find(objects[3].key);
  REQUIRE(entry);
  CHECK(entry->raw_bytes == 300);
  CHECK(entry->stored_bytes == 300);
  CHECK(entry->offset % kFrameAlign == 0);
  REQUIRE(packs.packs().size() == 1);
  CHECK(packs.packs()[0].entries == 11);
  CHECK_FALSE(packs.packs()[0].is_complete);
  CHECK(packs.sync());
}

TEST_CASE("another principal finds only what it appended itself; everyone's copy is preferred") {
  CasBox box;
  auto& packs = box.packs();
  const auto tag = owner_tag("somebody");
  const auto other = owner_tag("somebody else");
  REQUIRE(tag != other);
  REQUIRE(append(packs, "shared"));
  REQUIRE(append(packs, "mine", tag));
  CHECK(packs.find(chunk_key("mine"), tag));
  CHECK(packs.find(chunk_key("mine"), kEveryone));
  CHECK_FALSE(packs.find(chunk_key("mine"), other));
  CHECK_FALSE(packs.find(chunk_key("shared"), tag));
  CHECK(read(packs, chunk_key("shared"), tag) == "absent");
  REQUIRE(append(packs, "shared", tag));
  CHECK(packs.find(chunk_key("shared"), tag)->owner == tag);
  CHECK(packs.locate(chunk_key("shared"))->second.owner == kEveryone);
  CHECK(packs.locate(chunk_key("mine"))->second.owner == tag);
  CHECK_FALSE(packs.locate(chunk_key("absent")));
}

TEST_CASE("a full pack is followed by another, and all stay readable") {
  CasBox box(4096);
  const auto all = payloads(40);
  for (const auto& payload : all) REQUIRE(append(box.packs(), payload));
  REQUIRE(box.packs().sync());
  const auto infos = box.packs().packs();
  CHECK(infos.size() == 4);
  for (std::size_t i = 0; i < infos.size(); ++i) {
    CHECK(infos[i].id == i + 1);
    CHECK(infos[i].size_bytes <= 4096);
    CHECK(infos[i].is_complete == (i + 1 < infos.size()));
    CHECK((box.disk().content(box.index_path(infos[i].id)) != nullptr) == infos[i].is_complete);
    CHECK(box.packs().entries_of(infos[i].slot).size() == infos[i].entries);
  }
  check_all(box.packs(), all);
  box.reopen();
  check_all(box.packs(), all);
  CHECK(box.packs().packs().size() == 4);
  // One object larger than a pack's limit has a pack of its own.
  const auto large = random_bytes(99, 10'000);
  REQUIRE(append(box.packs(), large));
  REQUIRE(append(box.packs(), "small"));
  CHECK(read(box.packs(), chunk_key(large)) == large);
  CHECK(box.packs().packs().size() == 6);
}

TEST_CASE("a failed write abandons the pack and loses nothing that was there") {
  for (const auto fault : {test::Fault::kIo, test::Fault::kNoSpace}) {
    CasBox box;
    const auto all = payloads(8);
    for (std::size_t i = 0; i < 4; ++i) REQUIRE(append(box.packs(), all[i]));
    box.faults().fail_at(1, fault);
    const auto failed = append(box.packs(), all[4]);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().slug == (fault == test::Fault::kIo ? "io_error" : "disk_full"));
    CHECK(box.faults().failed() == "append");
    CHECK_FALSE(box.packs().find(chunk_key(all[4])));
    for (std::size_t i = 4; i < 8; ++i) REQUIRE(append(box.packs(), all[i]));
    REQUIRE(box.packs().sync());
    CHECK(box.packs().packs().size() == 2);
    check_all(box.packs(), all);
    box.cut(test::Cut::kDropAll);
    check_all(box.packs(), all);
  }
}

TEST_CASE("a pack that cannot be started leaves nothing, and the next try works") {
  for (const int call : {1, 2}) {  // create, append of the head
    CasBox box;
    box.faults().fail_at(call);
    CHECK_FALSE(append(box.packs(), "object"));
    CHECK(box.packs().packs().empty());
    CHECK(box.disk().list_dir("/store/packs")->empty());
    REQUIRE(append(box.packs(), "object"));
    CHECK(read(box.packs(), chunk_key("object")) == "object");
  }
}

TEST_CASE("a failed sync takes back what was not durable, says so, and goes on in another pack") {
  CasBox box;
  REQUIRE(append(box.packs(), "durable"));
  REQUIRE(box.packs().sync());
  REQUIRE(append(box.packs(), "lost 1"));
  REQUIRE(append(box.packs(), "lost 2"));
  const auto generation = box.packs().generation();
  box.disk().lose_sync(1);
  const auto synced = box.packs().sync();
  REQUIRE_FALSE(synced);
  CHECK(synced.error().slug == "io_error");
  CHECK(box.packs().generation() > generation);
  CHECK(read(box.packs(), chunk_key("durable")) == "durable");
  CHECK(read(box.packs(), chunk_key("lost 1")) == "absent");
  CHECK(read(box.packs(), chunk_key("lost 2")) == "absent");
  REQUIRE(box.packs().sync());  // nothing is left to sync
  REQUIRE(append(box.packs(), "lost 1"));
  CHECK(box.packs().packs().size() == 2);
  REQUIRE(box.packs().sync());
  box.cut(test::Cut::kDropAll);
  CHECK(read(box.packs(), chunk_key("durable")) == "durable");
  CHECK(read(box.packs(), chunk_key("lost 1")) == "lost 1");
  CHECK(read(box.packs(), chunk_key("lost 2")) == "absent");
}

TEST_CASE("a name that cannot be made durable is no success") {
  CasBox box;
  REQUIRE(append(box.packs(), "object"));
  box.faults().fail_at(2);  // sync, sync_dir
  CHECK_FALSE(box.packs().sync());
  CHECK(box.faults().failed() == "sync_dir");
  CHECK_FALSE(box.packs().find(chunk_key("object")));
}

TEST_CASE("what a failed sync dropped is not trusted after a restart either, with or without word of it") {
  for (const bool leaves_word : {true, false}) {
    CAPTURE(leaves_word);
    CasBox box;
    REQUIRE(append(box.packs(), "durable"));
    REQUIRE(box.packs().sync());
    REQUIRE(append(box.packs(), "lost"));
    box.disk().lose_sync(1);
    box.faults().fail_when([&](const std::string& call) { return !leaves_word && call.starts_with("rename"); });
    REQUIRE_FALSE(box.packs().sync());
    // The kernel still shows the bytes, and syncs succeed again: the disk never gets them.
    box.cut(test::Cut::kKilled);
    if (!box.packs().find(chunk_key("lost"))) REQUIRE(append(box.packs(), "lost"));
    REQUIRE(box.packs().sync());
    box.cut(test::Cut::kDropAll);
    CHECK(read(box.packs(), chunk_key("lost")) == "lost");
    CHECK(read(box.packs(), chunk_key("durable")) == "durable");
  }
}

TEST_CASE("a damaged object is set aside for good, and healed by appending it again") {
  const test::LogCapture log;
  CasBox box;
  for (const auto* payload : {"before", "damaged", "behind"}) REQUIRE(append(box.packs(), payload));
  REQUIRE(box.packs().sync());
  CHECK_FALSE(box.packs().has_damage());
  const auto generation = box.packs().generation();
  box.disk().content(box.pack_path())->at(box.offset_of(ObjectKind::kChunk, sha("damaged")) + 66) ^= 4;
  CHECK(box.packs().find(chunk_key("damaged")));  // nobody has looked yet
  std::vector<std::uint8_t> buffer;
  const auto object = box.packs().read(chunk_key("damaged"), buffer);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::kCorrupt);
  CHECK(object.error().message.find(sha("damaged").to_string()) != std::string::npos);
  CHECK(log.has("object_damaged"));
  CHECK(box.packs().generation() > generation);
  CHECK(box.packs().has_damage());
  CHECK_FALSE(box.packs().find(chunk_key("damaged")));
  CHECK(read(box.packs(), chunk_key("before")) == "before");
  CHECK(read(box.packs(), chunk_key("behind")) == "behind");
  for (const auto cut : {test::Cut::kKilled, test::Cut::kDropAll}) {
    box.cut(cut);
    CHECK_FALSE(box.packs().find(chunk_key("damaged")));
    CHECK(read(box.packs(), chunk_key("damaged")) == "absent");
  }
  REQUIRE(append(box.packs(), "damaged"));
  CHECK(read(box.packs(), chunk_key("damaged")) == "damaged");
  box.reopen();
  CHECK(read(box.packs(), chunk_key("damaged")) == "damaged");
  CHECK(read(box.packs(), chunk_key("before")) == "before");
}

TEST_CASE("of two copies the undamaged one is read") {
  const test::LogCapture log;
  for (const bool first_is_damaged : {true, false}) {
    CasBox box;
    REQUIRE(append(box.packs(), "twice", owner_tag("a")));
    const auto first = box.offset_of(ObjectKind::kChunk, sha("twice"));
    REQUIRE(append(box.packs(), "twice", owner_tag("b")));
    const auto second = box.packs().find(chunk_key("twice"), owner_tag("b"))->offset;
    REQUIRE(first != second);
    box.disk().content(box.pack_path())->at((first_is_damaged ? first : second) + 64) ^= 1;
    CHECK(read(box.packs(), chunk_key("twice")) == "twice");
    CHECK(read(box.packs(), chunk_key("twice"), owner_tag("a")) == (first_is_damaged ? "absent" : "twice"));
    CHECK(read(box.packs(), chunk_key("twice"), owner_tag("b")) ==
          (first_is_damaged ? "twice" : "error object_damaged"));  // nobody has looked yet
    CHECK(read(box.packs(), chunk_key("twice")) == "twice");
  }
}

TEST_CASE("quarantine sets every copy aside; a failure to note it is no failure") {
  const test::LogCapture log;
  CasBox box;
  REQUIRE(append(box.packs(), "bad"));
  REQUIRE(append(box.packs(), "bad", owner_tag("a")));
  box.faults().fail_when([](const std::string& call) { return call == "create_exclusive"; });
  box.packs().quarantine(chunk_key("bad"));
  box.faults().fail_when(nullptr);
  CHECK(log.has("damage_not_recorded"));
  CHECK(read(box.packs(), chunk_key("bad")) == "absent");
  CHECK(read(box.packs(), chunk_key("bad"), owner_tag("a")) == "absent");
  box.packs().quarantine(chunk_key("absent"));
}

TEST_CASE("a read error is an error, not damage; a missing pack is damage") {
  const test::LogCapture log;
  CasBox box;
  REQUIRE(append(box.packs(), "object"));
  for (const int call : {1, 2}) {  // open_readable, read_at
    box.faults().fail_at(call);
    CHECK(read(box.packs(), chunk_key("object")) == "error io_error");
  }
  CHECK(read(box.packs(), chunk_key("object")) == "object");
  REQUIRE(box.packs().sync());
  box.reopen();
  REQUIRE(box.disk().remove(box.pack_path()));
  CHECK(read(box.packs(), chunk_key("object")) == "error object_damaged");
}

TEST_CASE("entries are reachable by position, and states decide what is found") {
  CasBox box;
  for (const auto* payload : {"a", "b", "c"}) REQUIRE(append(box.packs(), payload));
  std::vector<std::uint8_t> buffer;
  CHECK(box.packs().read_at(0, 1, buffer)->entry.key == chunk_key("b"));
  CHECK(box.packs().read_at(0, 3, buffer).error().slug == "object_moved");
  CHECK(box.packs().read_at(1, 0, buffer).error().slug == "object_moved");
  CHECK(box.packs().entries_of(1).empty());
  const auto generation = box.packs().generation();
  box.packs().set_states(0, {1}, EntryState::kCondemned);
  CHECK(box.packs().generation() > generation);
  CHECK_FALSE(box.packs().find(chunk_key("b")));
  CHECK(box.packs().entries_of(0)[1].second == EntryState::kCondemned);
  box.packs().set_states(0, {1}, EntryState::kLive);
  CHECK(box.packs().find(chunk_key("b")));
  box.packs().set_states(7, {1}, EntryState::kCondemned);  // a pack that is gone
}

TEST_CASE("nothing is appended below the low-water mark, everything else goes on") {
  const test::TempDir dir;
  FakeClock clock(1);
  {
    auto packs = PackStore::open({dir / "store", 0, 1 << 20}, posix_env(), clock);
    REQUIRE(packs);
    REQUIRE(append(**packs, "object"));
    REQUIRE((*packs)->sync());
  }
  auto packs = PackStore::open({dir / "store", 101, 1 << 20}, posix_env(), clock);
  REQUIRE(packs);
  CHECK((*packs)->check_space().error().slug == "disk_full");
  CHECK((*packs)->check_space().error().code == ErrorCode::kExhausted);
  CHECK(read(**packs, chunk_key("object")) == "object");
  CHECK((*packs)->sync());
  // A pack that is open takes what fits until the next look at the disk; a new one is not begun.
  REQUIRE((*packs)->complete_active_pack());
  CHECK(append(**packs, "another").error().slug == "disk_full");
  CHECK((*packs)->packs().size() == 1);
}

TEST_CASE("more packs than files may be open are read all the same") {
  CasBox box(64 + 64 + 320);
  const auto all = payloads(600, 200);
  for (const auto& payload : all) REQUIRE(append(box.packs(), payload));
  CHECK(box.packs().packs().size() == 600);
  check_all(box.packs(), all);
  check_all(box.packs(), all);
}

TEST_CASE("padding counts where the disk is checked, not where an object is needed") {
  CasBox box;
  REQUIRE(append(box.packs(), "abc"));
  REQUIRE(box.packs().sync());
  const auto at = box.packs().find(chunk_key("abc"))->offset + kFrameHeadBytes + 3;
  (*box.disk().content(box.pack_path()))[at + 5] ^= 1;
  std::vector<std::uint8_t> buffer;
  CHECK(read(box.packs(), chunk_key("abc")) == "abc");
  CHECK(box.packs().read_at(0, 0, buffer));
  std::vector<std::uint8_t> room(3);
  CHECK(box.packs().read_to(chunk_key("abc"), room).value());
  CHECK(box.packs().read_to(chunk_key("abc"), std::span(room).first(2)).error().slug == "store_changed");
  CHECK(box.packs().read_at(0, 0, buffer, PackStore::Padding::kCheck).error().slug == "object_damaged");
  CHECK(box.packs().is_damaged(chunk_key("abc")));
}
