// Garbage collection: what is kept stays readable, what is not goes to the trash, comes back or is swept, while pushes
// go on.
#include "storage/cas/collection.h"

#include <set>

#include "storage/cas/recipe.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::put;
using test::random_bytes;
using test::read_blob;
using test::receive;
using test::sha;
using test::Stream;

namespace {

// Files of small chunks; those with the same numbers share them.
struct File {
  explicit File(const std::vector<int>& numbers) {
    for (const auto number : numbers) {
      chunks.push_back(random_bytes(static_cast<unsigned>(number), 500));
      content += chunks.back();
    }
    digest = sha(content);
  }
  File(int begin, int end) : File(range(begin, end)) {}
  static std::vector<int> range(int begin, int end) {
    std::vector<int> numbers;
    for (int i = begin; i < end; ++i) numbers.push_back(i);
    return numbers;
  }
  void push(CasBox& box, OwnerTag owner = kEveryone) const {
    Stream stream;
    for (const auto& chunk : chunks) stream.chunk(chunk);
    REQUIRE(receive(*box.store, stream.end(digest).bytes(), owner));
  }
  bool is_readable(CasBox& box) const {
    const auto got = read_blob(*box.store, digest);
    if (got && *got != content) FAIL("wrong bytes");
    return got && box.store->has(digest, content.size());
  }

  std::vector<std::string> chunks;
  std::string content;
  crypto::Digest digest;
};

// A whole collection that keeps these.
Result<MovedToTrash> collect(CasBox& box, const std::vector<const File*>& kept, std::int64_t min_age_us = 0) {
  MLOPS_ASSIGN(const auto collection, Collection::start(*box.store, min_age_us));
  for (const auto* file : kept) {
    MLOPS_ASSIGN(const bool is_here, collection->keep(file->digest));
    if (!is_here) return fail(ErrorCode::kInternal, "not_kept", "a file to keep is not here");
  }
  collection->condemn();
  return collection->move_to_trash("run");
}

std::size_t objects(CasBox& box) {
  return box.store->totals().objects;
}

}  // namespace

TEST_CASE("what is kept stays, what is not goes to the trash, and sweeping removes it") {
  CasBox box(8192);
  const File kept(0, 40);
  const File dropped(100, 150);
  kept.push(box);
  dropped.push(box);
  REQUIRE(put(*box.store, "small"));
  const auto before = box.store->totals();
  const auto moved = collect(box, {&kept});
  REQUIRE(moved);
  CHECK(moved->packs > 0);
  CHECK(moved->removed_objects > 50);
  CHECK(kept.is_readable(box));
  CHECK_FALSE(dropped.is_readable(box));
  CHECK_FALSE(box.store->has(sha("small"), 5));
  CHECK(box.store->totals().stored_bytes < before.stored_bytes);
  const auto trash = list_trash(*box.store);
  REQUIRE(trash);
  REQUIRE(trash->size() == 1);
  CHECK(trash->front().name == moved->trash_dir);
  CHECK(trash->front().packs == moved->packs);
  CHECK(trash->front().moved_at_us == box.clock.now_us());
  CHECK(sweep_trash(*box.store, box.clock.now_us())->empty());  // not before its time
  CHECK(sweep_trash(*box.store, box.clock.now_us() + 1)->size() == 1);
  CHECK(list_trash(*box.store)->empty());
  CHECK(box.disk().list_dir("/store/trash")->empty());
  box.cut(test::Cut::kDropAll);
  CHECK(kept.is_readable(box));
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("a plan counts and changes nothing") {
  CasBox box;
  const File kept(0, 40);
  const File dropped(20, 60);  // half of it is shared
  kept.push(box);
  dropped.push(box);
  const auto collection = std::move(Collection::start(*box.store, 0).value());
  CHECK(collection->keep(kept.digest).value());
  CHECK_FALSE(collection->keep(sha("absent")).value());
  const auto sum = collection->summary();
  CHECK(sum.missing_blobs == 1);
  CHECK(sum.young_objects == 0);
  CHECK(sum.live_objects + sum.dead_objects == objects(box));
  CHECK(sum.dead_objects >= 20);
  CHECK(sum.dead_objects < 30);
  CHECK(sum.dead_bytes > 20 * 500);
  CHECK(kept.is_readable(box));
  CHECK(dropped.is_readable(box));
}

TEST_CASE("a restoring that can neither load a pack nor move it back is made good by the next one") {
  CasBox box(16'384);
  const File dropped(0, 60);
  dropped.push(box);
  const auto moved = collect(box, {});
  REQUIRE(moved);
  bool has_failed_to_open = false;
  int faults = 0;
  box.faults().fail_when([&](const std::string& call) {
    const bool fails = call.starts_with(has_failed_to_open ? "rename_replace" : "open_readable") && faults < 2;
    has_failed_to_open = has_failed_to_open || fails;
    faults += fails ? 1 : 0;
    return fails;
  });
  CHECK_FALSE(restore_trash(*box.store, moved->trash_dir));
  CHECK(faults == 2);
  REQUIRE(restore_trash(*box.store, moved->trash_dir));
  CHECK(dropped.is_readable(box));
}

TEST_CASE("little garbage in a pack is left for now, told as such, and goes in a thorough collection") {
  CasBox box;
  const File kept(0, 60);
  const File dropped(60, 64);
  kept.push(box);
  dropped.push(box);
  const auto left = collect(box, {&kept});
  REQUIRE(left);
  CHECK(left->packs == 0);
  CHECK(dropped.is_readable(box));
  for (const auto thoroughness : {Thoroughness::kWorthwhile, Thoroughness::kAll}) {
    const auto collection = std::move(Collection::start(*box.store, 0, thoroughness).value());
    REQUIRE(collection->keep(kept.digest));
    const auto sum = collection->summary();
    const bool is_thorough = thoroughness == Thoroughness::kAll;
    CHECK(sum.dead_objects > 4);
    CHECK(sum.sparse_objects == (is_thorough ? 0 : sum.dead_objects));
    CHECK(sum.sparse_bytes == (is_thorough ? 0 : sum.dead_bytes));
    if (!is_thorough) continue;
    collection->condemn();
    const auto moved = collection->move_to_trash("run");
    REQUIRE(moved);
    CHECK(moved->removed_objects == sum.dead_objects);
  }
  CHECK(kept.is_readable(box));
  CHECK_FALSE(dropped.is_readable(box));
}

TEST_CASE("what is restored is whole again, also after a restart") {
  for (const bool restarts : {false, true}) {
    CasBox box(16'384);
    const File kept(0, 30);
    const File dropped(20, 90);
    dropped.push(box);
    kept.push(box);
    const auto moved = collect(box, {&kept});
    REQUIRE(moved);
    REQUIRE(moved->copied_bytes > 0);
    CHECK_FALSE(dropped.is_readable(box));
    if (restarts) box.cut(test::Cut::kDropAll);
    CHECK(restore_trash(*box.store, "nothing").error().slug == "trash_not_found");
    REQUIRE(restore_trash(*box.store, moved->trash_dir));
    CHECK(dropped.is_readable(box));
    CHECK(kept.is_readable(box));
    CHECK(list_trash(*box.store)->empty());
    if (restarts) box.cut(test::Cut::kDropAll);
    CHECK(dropped.is_readable(box));
    // And it can be collected again: what was copied is there twice now.
    REQUIRE(collect(box, {&kept, &dropped}));
    CHECK(dropped.is_readable(box));
    CHECK(kept.is_readable(box));
    REQUIRE(collect(box, {}));
    CHECK(objects(box) == 0);
  }
}

TEST_CASE("after everything is deleted and collected nothing is left") {
  CasBox box(4096);
  for (int i = 0; i < 10; ++i) File(i * 20, i * 20 + 35).push(box);
  REQUIRE(put(*box.store, random_bytes(1, 300'000)));
  REQUIRE(collect(box, {}));
  CHECK(objects(box) == 0);
  CHECK(box.packs().packs().empty());
  CHECK(sweep_trash(*box.store, INT64_MAX)->size() == 1);
  CHECK(box.disk().list_dir("/store/packs")->empty());
}

TEST_CASE("nodes and chunks that a kept file shares with a deleted one stay") {
  CasBox box(8192);
  const File kept(0, 700);
  const File changed(5, 705);  // most of its nodes are the same
  kept.push(box);
  changed.push(box);
  REQUIRE(collect(box, {&changed}));
  CHECK(changed.is_readable(box));
  kept.push(box);
  CHECK(kept.is_readable(box));
  REQUIRE(collect(box, {&kept}));
  CHECK(kept.is_readable(box));
}

TEST_CASE("a pack of which little is dead stays, and what was condemned in it is found again") {
  CasBox box;
  const File kept(0, 100);
  const File dropped(100, 110);
  kept.push(box);
  dropped.push(box);
  const auto before = box.store->totals();
  const auto collection = std::move(Collection::start(*box.store, 0).value());
  REQUIRE(collection->keep(kept.digest).value());
  collection->condemn();
  CHECK_FALSE(dropped.is_readable(box));
  const auto moved = collection->move_to_trash("run");
  REQUIRE(moved);
  CHECK(moved->packs == 0);
  CHECK(moved->trash_dir.empty());
  CHECK(dropped.is_readable(box));
  CHECK(box.store->totals().stored_bytes == before.stored_bytes);
}

TEST_CASE("the receipt is over the removed objects, the same for the same") {
  crypto::Digest first;
  for (int i = 0; i < 2; ++i) {
    CasBox box;
    File(0, 10).push(box);
    const auto moved = collect(box, {});
    REQUIRE(moved);
    CHECK(moved->removed_objects == 13);  // chunks, a node, blob and root
    if (i == 0) first = moved->removed_digest;
    CHECK(moved->removed_digest == first);
  }
}

TEST_CASE("young objects and leased ones are not collected") {
  CasBox box;
  const File young(0, 10);
  young.push(box);
  const auto nothing = collect(box, {}, test::kLeaseUs);
  REQUIRE(nothing);
  CHECK(nothing->packs == 0);
  CHECK(young.is_readable(box));
  box.clock.advance_us(test::kLeaseUs);
  // Old now; but somebody was told of its nodes a moment ago.
  const auto root = box.store->blob_record(young.digest).value()->root;
  REQUIRE(box.store->has_object({ObjectKind::kNode, root}, kEveryone));
  const auto collection = std::move(Collection::start(*box.store, test::kLeaseUs).value());
  const auto sum = collection->summary();
  CHECK(sum.live_objects == 0);
  CHECK(sum.young_objects == 11);  // the chunks and their node, not the file's records
  collection->condemn();
  REQUIRE(collection->move_to_trash("run"));
  Stream again;
  const auto received = receive(*box.store, again.known_node(root).end(young.digest).bytes());
  REQUIRE(received);
  CHECK(received->new_chunks == 0);
  CHECK(young.is_readable(box));
  // Without an age nothing is spared.
  REQUIRE(collect(box, {}));
  CHECK_FALSE(young.is_readable(box));
  CHECK(objects(box) == 0);
}

TEST_CASE("a lease on a chunk keeps that chunk") {
  CasBox box;
  const File file(0, 30);
  file.push(box);
  box.clock.advance_us(test::kLeaseUs);
  const ObjectKey chunk{ObjectKind::kChunk, sha(file.chunks[3])};
  REQUIRE(box.store->has_object(chunk, kEveryone));
  REQUIRE(collect(box, {}, test::kLeaseUs));
  CHECK(box.packs().find(chunk));
  CHECK(objects(box) == 1);
}

TEST_CASE("a push between the steps is safe: it is refused or all of it stays") {
  // After which step the push begins, and after which it ends.
  for (int begin = 0; begin < 4; ++begin) {
    for (int end = begin; end < 5; ++end) {
      INFO("push from step " << begin << " to " << end);
      CasBox box(8192);
      const File old(0, 60);
      const File pushed(30, 90);  // half of it deduplicates against what is being collected
      old.push(box);
      std::unique_ptr<Collection> collection;
      const auto step = [&](int number) {
        if (number == 0) collection = std::move(Collection::start(*box.store, 0).value());
        if (number == 1) (void)collection->summary();
        if (number == 2) collection->condemn();
        if (number == 3) REQUIRE(collection->move_to_trash("run"));
      };
      int next = 0;
      while (next < begin) step(next++);
      Stream stream;
      for (const auto& chunk : pushed.chunks) stream.chunk(chunk);
      stream.end(pushed.digest);
      std::size_t sent = 0;
      const auto received =
          receive_files(*box.store, kEveryone, [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
            while (next < end && next < 4 && sent > 20'000) step(next++);
            const auto take = std::min({into.size(), stream.bytes().size() - sent, std::size_t{5000}});
            std::copy_n(stream.bytes().begin() + static_cast<std::ptrdiff_t>(sent), take, into.begin());
            sent += take;
            return take;
          });
      const bool was_registered = received && box.store->has(pushed.digest, pushed.content.size());
      if (!received) CHECK(received.error().slug == "store_changed");
      // Registered before the end of the marking it is kept then, as the writer does.
      if (was_registered && next <= 2 && collection) REQUIRE(collection->keep(pushed.digest).value());
      if (was_registered && next == 0) {
        step(next++);
        REQUIRE(collection->keep(pushed.digest).value());
      }
      while (next < 4) step(next++);
      CHECK(pushed.is_readable(box) == was_registered);
      REQUIRE(check_packs(*box.store, {}).value().problems.empty());
    }
  }
}

TEST_CASE("copies that a failed sync of somebody else takes back are not the only ones") {
  CasBox box(1u << 20);
  const File kept(0, 20);
  const File dropped(100, 150);
  kept.push(box);
  dropped.push(box);
  const auto collection = std::move(Collection::start(*box.store, 0).value());
  REQUIRE(collection->keep(kept.digest).value());
  collection->condemn();
  // While live objects are copied, another thread's sync fails and takes what was copied so far back.
  int reads = 0;
  box.faults().fail_when([&](const std::string& call) {
    if (call == "read_at" && ++reads == 10) {
      box.disk().lose_sync(1);
      CHECK_FALSE(box.packs().sync());
    }
    return false;
  });
  const auto moved = collection->move_to_trash("run");
  box.faults().fail_when(nullptr);
  CHECK(kept.is_readable(box));
  if (!moved) CHECK(moved.error().code == ErrorCode::kUnavailable);
  REQUIRE(collect(box, {&kept}));
  CHECK(kept.is_readable(box));
  box.cut(test::Cut::kDropAll);
  CHECK(kept.is_readable(box));
}

TEST_CASE("what a failed sync took back is dead for good") {
  const test::LogCapture log;
  CasBox box;
  const File kept(0, 50);
  kept.push(box);
  const NewObject lost{{ObjectKind::kChunk, sha("lost")}, Encoding::kRaw, 4, as_bytes("lost")};
  REQUIRE(box.packs().append({&lost, 1}, kEveryone));
  box.disk().lose_sync(1);
  REQUIRE_FALSE(box.packs().sync());
  REQUIRE(collect(box, {&kept}));  // too little to move anything
  CHECK_FALSE(box.packs().find(lost.key));
  for (const auto& [entry, state] : box.packs().entries_of(0)) {
    if (entry.key == lost.key) CHECK(state == EntryState::kLost);
  }
  CHECK(kept.is_readable(box));
}

TEST_CASE("a copy that turns out damaged does not cost the undamaged one") {
  const test::LogCapture log;
  CasBox box(1u << 20);
  const File file(0, 20);
  file.push(box);
  file.push(box, owner_tag("stranger"));  // all of it again
  const File dropped(100, 160);
  dropped.push(box);
  // The copy that the collection would keep is damaged, and nobody has noticed.
  const auto at = box.packs().locate({ObjectKind::kChunk, sha(file.chunks[5])});
  REQUIRE(at);
  REQUIRE(at->second.owner == kEveryone);
  box.disk().content(box.pack_path())->at(at->second.offset + 70) ^= 1;
  REQUIRE(collect(box, {&file}));
  CHECK(file.is_readable(box));
}

TEST_CASE("damage does not end a collection, and what lies below is counted as missing") {
  const test::LogCapture log;
  for (const auto kind : {ObjectKind::kNode, ObjectKind::kBlob}) {
    INFO(to_word(kind));
    CasBox box;
    const File damaged(0, 40);
    const File whole(100, 140);
    damaged.push(box);
    whole.push(box);
    const auto root = box.store->blob_record(damaged.digest).value()->root;
    const auto digest = kind == ObjectKind::kNode ? root : damaged.digest;
    box.disk().content(box.pack_path())->at(box.offset_of(kind, digest) + 70) ^= 1;
    const auto collection = std::move(Collection::start(*box.store, 0).value());
    const auto kept = collection->keep(damaged.digest);
    if (!kept) CHECK(kept.error().code == ErrorCode::kCorrupt);
    if (kept) CHECK_FALSE(*kept);
    CHECK(collection->keep(whole.digest).value());
    collection->condemn();
    REQUIRE(collection->move_to_trash("run"));
    CHECK(whole.is_readable(box));
    CHECK_FALSE(damaged.is_readable(box));
    damaged.push(box);
    CHECK(damaged.is_readable(box));
  }
}

TEST_CASE("a file that is a part of another's is kept for both") {
  CasBox box;
  const File file(0, 30);
  file.push(box);
  REQUIRE(put(*box.store, file.chunks[4]));  // a file that is one of the chunks
  const auto collection = std::move(Collection::start(*box.store, 0).value());
  REQUIRE(collection->keep(sha(file.chunks[4])).value());
  collection->condemn();
  REQUIRE(collection->move_to_trash("run"));
  CHECK(read_blob(*box.store, sha(file.chunks[4])).value() == file.chunks[4]);
  CHECK_FALSE(file.is_readable(box));
  CHECK(objects(box) == 1);
}

TEST_CASE("a file that is here as one chunk and as a tree stays both ways") {
  CasBox box;
  const File file(0, 30);
  file.push(box);
  const auto reader = std::move(box.store->open_blob(file.digest).value());
  std::vector<std::uint8_t> buffer(100);
  REQUIRE(reader->read_at(0, buffer));
  REQUIRE(put(*box.store, file.content));  // cut otherwise: one chunk
  REQUIRE(box.packs().find({ObjectKind::kChunk, file.digest}));
  File(100, 200).push(box);
  REQUIRE(collect(box, {&file}));
  CHECK(box.packs().find({ObjectKind::kBlob, file.digest}));
  REQUIRE(reader->read_at(14'000, buffer).value() == 100);
  CHECK(std::string(buffer.begin(), buffer.end()) == file.content.substr(14'000, 100));
}

TEST_CASE("what a full disk left in a pack is collected too") {
  const test::LogCapture log;
  CasBox box;
  const File kept(0, 10);
  kept.push(box);
  box.faults().fail_when([](const std::string& call) { return call == "append"; });
  const auto large = random_bytes(1, 250'000);
  for (int i = 0; i < 3; ++i) {
    Stream stream;
    CHECK_FALSE(receive(*box.store, stream.chunk(large).end().bytes()));
  }
  box.faults().fail_when(nullptr);
  box.cut(test::Cut::kKilled);
  REQUIRE(box.store->totals().stored_bytes > 100'000);
  REQUIRE(collect(box, {&kept}));
  CHECK(kept.is_readable(box));
  CHECK(box.store->totals().stored_bytes < 20'000);
}

TEST_CASE("a damaged node costs what is below it and nothing beside it") {
  const test::LogCapture log;
  CasBox box;
  const File file(0, 700);
  file.push(box);
  const auto root = box.store->blob_record(file.digest).value()->root;
  const auto nodes = box.store->read_node(root).value().entries;
  REQUIRE(nodes.size() > 3);
  box.disk().content(box.pack_path())->at(box.offset_of(ObjectKind::kNode, nodes[1].digest) + 70) ^= 1;
  const auto collection = std::move(Collection::start(*box.store, 0).value());
  CHECK_FALSE(collection->keep(file.digest).value());
  collection->condemn();
  REQUIRE(collection->move_to_trash("run"));
  CHECK(box.packs().find({ObjectKind::kChunk, sha(file.chunks.front())}));
  CHECK(box.packs().find({ObjectKind::kChunk, sha(file.chunks.back())}));
  CHECK(box.packs().find({ObjectKind::kNode, nodes[2].digest}));
  file.push(box);
  CHECK(file.is_readable(box));
}

TEST_CASE("why an object is here: its kinds and the path down to it") {
  CasBox box;
  const File file(0, 700);
  file.push(box);
  REQUIRE(put(*box.store, "single"));
  const auto root = box.store->blob_record(file.digest).value()->root;
  CHECK(kinds_of(*box.store, file.digest) == std::vector{ObjectKind::kBlob});
  CHECK(kinds_of(*box.store, sha("single")) == std::vector{ObjectKind::kChunk});
  CHECK(kinds_of(*box.store, root) == std::vector{ObjectKind::kNode, ObjectKind::kRoot});
  CHECK(kinds_of(*box.store, sha("absent")).empty());
  const ObjectKey chunk{ObjectKind::kChunk, sha(file.chunks[600])};
  const auto path = path_in_blob(*box.store, file.digest, chunk);
  REQUIRE(path);
  REQUIRE(path->size() == 4);
  CHECK((*path)[0] == ObjectKey{ObjectKind::kBlob, file.digest});
  CHECK((*path)[1] == ObjectKey{ObjectKind::kNode, root});
  CHECK((*path)[2].kind == ObjectKind::kNode);
  CHECK((*path)[3] == chunk);
  CHECK(path_in_blob(*box.store, file.digest, (*path)[2])->size() == 3);
  CHECK(path_in_blob(*box.store, file.digest, {ObjectKind::kRoot, root})->size() == 2);
  CHECK(path_in_blob(*box.store, file.digest, {ObjectKind::kChunk, sha("absent")})->empty());
  CHECK(path_in_blob(*box.store, sha("single"), {ObjectKind::kChunk, sha("single")})->size() == 1);
  CHECK(path_in_blob(*box.store, sha("absent"), chunk)->empty());
}
