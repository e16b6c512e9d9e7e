// Packs at a start and on their way to the trash and back: indexes lost or damaged, tails torn, zeroed or full of
// garbage.
#include <future>
#include <set>

#include "storage/cas/frame.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/append_frame.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::Cut;
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

std::string read(PackStore& packs, std::string_view payload) {
  std::vector<std::uint8_t> buffer;
  const auto object = packs.read(chunk_key(payload), buffer);
  if (!object) return "error " + object.error().slug;
  if (!*object) return "absent";
  return {reinterpret_cast<const char*>((*object)->payload.data()), (*object)->payload.size()};
}

std::size_t count_present(PackStore& packs, const std::vector<std::string>& wanted) {
  std::size_t present = 0;
  for (const auto& payload : wanted) {
    const auto got = read(packs, payload);
    if (got == payload) ++present;
    if (got != payload && got != "absent") FAIL(got);
  }
  return present;
}

std::vector<std::string> payloads(std::size_t count, std::size_t size = 300) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(random_bytes(i + 1, size));
  return out;
}

// A store whose packs of 10 objects each were synced, the last one still open, all without a clean stop.
void fill(CasBox& box, const std::vector<std::string>& all) {
  for (const auto& payload : all) REQUIRE(append(box.packs(), payload));
  REQUIRE(box.packs().sync());
}

constexpr std::uint64_t kTenObjects = 64 + 10 * 384;

}  // namespace

TEST_CASE("a clean stop leaves indexes, and the next start reads no pack") {
  CasBox box(kTenObjects);
  const auto all = payloads(23);
  fill(box, all);
  box.store.reset();
  for (const std::uint32_t id : {1u, 2u, 3u}) CHECK(box.disk().content(box.index_path(id)));
  int calls = 0;
  box.faults().fail_when([&](const std::string& call) {
    calls += call == "sync" ? 1 : 0;  // what a scan would do
    return false;
  });
  box.reopen();
  box.faults().fail_when(nullptr);
  CHECK(calls == 0);
  CHECK(count_present(box.packs(), all) == 23);
  // The last pack goes on where it ended.
  REQUIRE(append(box.packs(), "more"));
  CHECK(box.packs().packs().size() == 3);
  box.reopen();
  CHECK(read(box.packs(), "more") == "more");
}

TEST_CASE("an index that is lost, damaged, cut off or another pack's is made again from the pack") {
  const auto all = payloads(25);
  for (const auto* damage : {"lost", "flipped", "cut", "empty", "another's"}) {
    INFO(damage);
    const test::LogCapture log;
    CasBox box(kTenObjects);
    fill(box, all);
    box.store.reset();
    const auto before = *box.disk().content(box.index_path(2));
    auto& index = *box.disk().content(box.index_path(2));
    const std::string_view kind = damage;
    if (kind == "lost") REQUIRE(box.disk().remove(box.index_path(2)));
    if (kind == "flipped") index[100] ^= 1;
    if (kind == "cut") index.resize(index.size() - 64);
    if (kind == "empty") index.clear();
    if (kind == "another's") index = *box.disk().content(box.index_path(1));
    box.reopen();
    CHECK(count_present(box.packs(), all) == 25);
    CHECK((*box.disk().content(box.index_path(2)) == before));
    CHECK(log.has("pack_index_rebuilt") == (kind != "lost"));
  }
}

TEST_CASE("a tail torn at any byte keeps the frames before it, and appending goes on") {
  const test::LogCapture log;
  const auto all = payloads(4, 100);  // frames of 192 bytes
  for (std::size_t end = 0; end <= 64 + 4 * 192; end += end % 64 < 3 ? 1 : 31) {
    INFO("cut at " << end);
    CasBox box;
    fill(box, all);
    auto& disk = box.disk();
    const auto content = *disk.content(box.pack_path());
    REQUIRE(content.size() == 64 + 4 * 192);
    box.cut(Cut::kKilled);
    box.store.reset();
    REQUIRE(box.disk().remove(box.index_path()));
    box.disk().content(box.pack_path())->resize(end);
    box.reopen();
    const std::size_t whole = end < 64 ? 0 : (end - 64) / 192;
    REQUIRE(count_present(box.packs(), all) == whole);
    REQUIRE(append(box.packs(), "after"));
    for (const auto& payload : all) REQUIRE(append(box.packs(), payload));
    REQUIRE(box.packs().sync());
    box.cut(Cut::kDropAll);
    REQUIRE(read(box.packs(), "after") == "after");
    REQUIRE(count_present(box.packs(), all) == 4);
  }
}

TEST_CASE("garbage or zeros in the middle of a tail cost the frames that they cover and no other") {
  const test::LogCapture log;
  const auto all = payloads(12, 100);
  for (const bool zeros : {true, false}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      INFO("seed " << seed);
      CasBox box;
      fill(box, all);
      auto content = *box.disk().content(box.pack_path());
      std::mt19937_64 random(seed);
      const auto begin = 64 + random() % (12 * 192);
      const auto end = std::min<std::size_t>(content.size(), begin + 1 + random() % 600);
      for (auto i = begin; i < end; ++i) content[i] = zeros ? '\0' : static_cast<char>(random());
      box.cut(Cut::kKilled);
      box.store.reset();
      REQUIRE(box.disk().remove(box.index_path()));
      const bool is_changed = *box.disk().content(box.pack_path()) != content;
      *box.disk().content(box.pack_path()) = content;
      box.reopen();
      const auto covered = (end - 1 - 64) / 192 - (begin - 64) / 192 + 1;
      const auto present = count_present(box.packs(), all);
      REQUIRE(present >= 12 - covered);
      if (is_changed) REQUIRE(present < 12);
      REQUIRE(append(box.packs(), "after"));
      box.reopen();
      REQUIRE(read(box.packs(), "after") == "after");
      REQUIRE(count_present(box.packs(), all) == present);
    }
  }
}

TEST_CASE("zeros behind the last frame, as a cut leaves them, are nothing") {
  const test::LogCapture log;
  CasBox box;
  const auto all = payloads(3);
  fill(box, all);
  REQUIRE(append(box.packs(), "never synced"));
  box.cut(Cut::kZeros);
  CHECK(count_present(box.packs(), all) == 3);
  CHECK(read(box.packs(), "never synced") == "absent");
  CHECK(box.packs().packs()[0].is_complete);  // what lies at its end is unknown
  REQUIRE(append(box.packs(), "never synced"));
  CHECK(box.packs().packs().size() == 2);
  REQUIRE(box.packs().sync());
  box.cut(Cut::kDropAll);
  CHECK(read(box.packs(), "never synced") == "never synced");
}

TEST_CASE("frames inside an object's bytes are never taken for objects") {
  const test::LogCapture log;
  // Who uploads a file of frames must not plant other bytes under a digest when its own frame is torn.
  const std::string planted = "planted bytes";
  std::vector<std::uint8_t> frame;
  PackEntry entry;
  entry.key = chunk_key("the bytes of somebody else");
  entry.raw_bytes = entry.stored_bytes = static_cast<std::uint32_t>(planted.size());
  append_frame(frame, entry, as_bytes(planted));
  std::string hostile;
  for (int i = 0; i < 20; ++i) hostile.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  for (const bool is_behind : {false, true}) {
    for (const int damage : {0, 1, 2, 3}) {
      INFO("damage " << damage);
      CasBox box;
      REQUIRE(append(box.packs(), "before"));
      REQUIRE(append(box.packs(), hostile));
      if (is_behind) REQUIRE(append(box.packs(), "behind"));
      REQUIRE(box.packs().sync());
      const auto at = box.offset_of(ObjectKind::kChunk, sha(hostile));
      box.cut(Cut::kKilled);
      box.store.reset();
      REQUIRE(box.disk().remove(box.index_path()));
      auto& content = *box.disk().content(box.pack_path());
      if (damage == 0) content.resize(at + 64 + hostile.size() / 2);  // torn by a full disk
      if (damage == 1) content[at + 64 + hostile.size() - 1] ^= 1;    // in the payload
      if (damage == 2) content[at] ^= 1;                              // in the head
      if (damage == 3) std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), 64, '\0');
      box.reopen();
      CHECK(read(box.packs(), "before") == "before");
      CHECK(read(box.packs(), "the bytes of somebody else") == "absent");
    }
  }
}

TEST_CASE("temporary files and strangers do not keep a store from opening") {
  CasBox box;
  fill(box, payloads(2));
  box.store.reset();
  for (const auto* name :
       {"packs/00000001.idx.tmp", "packs/notes.txt", "packs/00000001.PACK", "packs/1.pack", "trash/notes"}) {
    REQUIRE(box.disk().create_exclusive(std::string("/store/") + name));
  }
  box.reopen();
  CHECK(count_present(box.packs(), payloads(2)) == 2);
  CHECK_FALSE(box.disk().content("/store/packs/00000001.idx.tmp"));
  CHECK(box.disk().content("/store/packs/notes.txt"));
  CHECK(list_trash(*box.store)->empty());
}

TEST_CASE("an index without its pack is not the next pack's") {
  const test::LogCapture log;
  CasBox box(kTenObjects);
  fill(box, payloads(4));
  box.packs().quarantine(chunk_key(payloads(4)[0]));
  box.store.reset();
  REQUIRE(box.disk().content(box.index_path()));
  REQUIRE(box.disk().content(box.bad_path()));
  REQUIRE(box.disk().remove(box.pack_path()));
  box.reopen();
  CHECK(count_present(box.packs(), payloads(4)) == 0);
  const auto others = std::vector<std::string>{random_bytes(101, 500), random_bytes(102, 500), random_bytes(103, 2000)};
  fill(box, others);
  box.cut(Cut::kKilled);
  CHECK(count_present(box.packs(), others) == 3);
}

TEST_CASE("a pack goes to the trash and comes back with all it holds") {
  const test::LogCapture log;
  CasBox box(kTenObjects);
  const auto all = payloads(20);
  fill(box, all);
  box.packs().quarantine(chunk_key(all[3]));
  CHECK(box.packs().move_to_trash(1, "run").error().slug == "pack_in_use");
  REQUIRE(box.packs().complete_active_pack());
  const auto generation = box.packs().generation();
  REQUIRE(box.packs().move_to_trash(0, "run"));
  CHECK(box.packs().generation() > generation);
  CHECK(box.packs().move_to_trash(0, "run").error().code == ErrorCode::kConflict);
  CHECK(count_present(box.packs(), all) == 10);
  CHECK(box.disk().list_dir("/store/packs").value() == std::vector<std::string>{"00000002.idx", "00000002.pack"});
  CHECK(box.disk().list_dir("/store/trash/run").value() ==
        std::vector<std::string>{"00000001.bad", "00000001.idx", "00000001.pack"});
  const bool restarts = GENERATE(false, true);
  if (restarts) box.cut(Cut::kDropAll);
  REQUIRE(box.packs().restore_from_trash("run"));
  CHECK(count_present(box.packs(), all) == 19);  // damage is remembered
  box.cut(Cut::kDropAll);
  CHECK(count_present(box.packs(), all) == 19);
}

TEST_CASE("a pack that a power cut left under both names is restored without harm") {
  const test::LogCapture log;
  CasBox box(kTenObjects);
  const auto all = payloads(4);
  fill(box, all);
  REQUIRE(box.packs().complete_active_pack());
  int syncs = 0;
  box.faults().fail_when([&](const std::string& call) { return call == "sync_dir" && ++syncs == 3; });
  CHECK_FALSE(box.packs().move_to_trash(0, "run"));  // the trash is synced, the packs' directory is not
  box.cut(Cut::kDropAll);
  REQUIRE(box.disk().content(box.pack_path()));
  REQUIRE(box.disk().content("/store/trash/run/00000001.pack"));
  CHECK(count_present(box.packs(), all) == 4);
  REQUIRE(append(box.packs(), "appended since"));
  REQUIRE(box.packs().sync());
  REQUIRE(box.packs().restore_from_trash("run"));
  CHECK(box.disk().list_dir("/store/trash/run")->empty());
  CHECK(box.packs().packs().size() == 1);
  box.cut(Cut::kDropAll);
  CHECK(count_present(box.packs(), all) == 4);
  CHECK(read(box.packs(), "appended since") == "appended since");
}

TEST_CASE("numbers of packs in the trash are not given out again") {
  CasBox box(kTenObjects);
  fill(box, payloads(20));
  REQUIRE(box.packs().complete_active_pack());
  REQUIRE(box.packs().move_to_trash(1, "run"));
  box.reopen();
  for (int i = 0; i < 8; ++i) REQUIRE(append(box.packs(), random_bytes(1000 + static_cast<unsigned>(i), 300)));
  for (const auto& info : box.packs().packs()) CHECK(info.id != 2);
  REQUIRE(box.packs().restore_from_trash("run"));
  CHECK(count_present(box.packs(), payloads(20)) == 20);
}

TEST_CASE("whatever call of a move or a restore fails, trying again ends well") {
  const test::LogCapture log;
  const auto all = payloads(20);
  for (const bool restores : {false, true}) {
    for (int n = 1;; ++n) {
      CasBox box(kTenObjects);
      fill(box, all);
      REQUIRE(box.packs().complete_active_pack());
      const auto act = [&] {
        return restores ? box.packs().restore_from_trash("run") : box.packs().move_to_trash(0, "run");
      };
      if (restores) REQUIRE(box.packs().move_to_trash(0, "run"));
      box.faults().fail_at(n);
      const auto first = act();
      INFO((restores ? "restore" : "move") << ", call " << n << ": " << box.faults().failed());
      if (box.faults().failed().empty()) {
        REQUIRE(first);
        break;
      }
      box.faults().fail_at(0);
      if (!first) {
        // Half a move may leave nothing to move again; then it is the trash's already.
        const auto again = act();
        if (restores) REQUIRE(again);
      }
      const auto wanted = [&] { return restores ? 20u : box.disk().content(box.pack_path(1)) ? 20u : 10u; };
      CHECK(count_present(box.packs(), all) == wanted());
      box.reopen();
      CHECK(count_present(box.packs(), all) == wanted());
    }
  }
}

TEST_CASE("who reads an object while its pack is moved finds its copy, and no damage is noted") {
  // A reader that begins when the file has its new name already, and its pack is still known.
  class SlowRename : public test::FaultEnv {
   public:
    using FaultEnv::FaultEnv;
    Status rename_replace(const std::string& from, const std::string& to) override {
      auto status = FaultEnv::rename_replace(from, to);
      if (during && to.ends_with(".pack")) during();
      return status;
    }
    std::function<void()> during;
  };
  FakeClock clock(1'800'000'000 * test::kSecondUs);
  test::PowerCutEnv disk(clock);
  SlowRename env(disk);
  auto packs = std::move(PackStore::open({test::kStoreRoot, 0, kTenObjects}, env, clock).value());
  REQUIRE(append(*packs, "object"));
  REQUIRE(packs->complete_active_pack());
  REQUIRE(append(*packs, "object", owner_tag("a")));  // the copy
  std::future<std::string> reading;
  env.during = [&] {
    reading = std::async(std::launch::async, [&] { return read(*packs, "object"); });
    (void)reading.wait_for(std::chrono::milliseconds(20));
  };
  REQUIRE(packs->move_to_trash(0, "run"));
  CHECK(reading.get() == "object");
  CHECK_FALSE(packs->has_damage());
  CHECK_FALSE(disk.content("/store/packs/00000001.bad"));
}
