// The check of the packs: finds what is damaged and names it, in the share and with the budget asked for.
#include "storage/cas/check.h"

#include <chrono>
#include <set>
#include <thread>

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

// A file of small chunks.
std::string push_file(CasBox& box, std::uint64_t seed, std::size_t count) {
  Stream stream;
  std::string content;
  for (std::size_t i = 0; i < count; ++i) {
    const auto chunk = random_bytes(seed * 10'000 + i, 200);
    stream.chunk(chunk);
    content += chunk;
  }
  REQUIRE(receive(*box.store, stream.end().bytes()));
  return content;
}

CheckReport check(CasBox& box, CheckOptions options = {}) {
  auto report = check_packs(*box.store, options);
  REQUIRE(report);
  return *report;
}

bool names(const CheckReport& report, std::string_view object) {
  for (const auto& problem : report.problems) {
    if (problem.object.find(object) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("an undamaged store is clean, and every object of it was read") {
  CasBox box(16'384);
  push_file(box, 1, 200);
  REQUIRE(box.store->put("small"));
  const auto report = check(box);
  CHECK(report.problems.empty());
  CHECK(report.objects == box.store->totals().objects);
  CHECK(report.bytes > 200 * 256);
  CHECK(damaged_objects(*box.store).empty());
  CasBox empty;
  CHECK(check(empty).objects == 0);
}

TEST_CASE("a flip in an object of any kind is found, named, set aside and told until it is healed") {
  const test::LogCapture log;
  for (const auto kind : {ObjectKind::kChunk, ObjectKind::kNode, ObjectKind::kBlob, ObjectKind::kRoot}) {
    INFO(to_word(kind));
    CasBox box;
    const auto content = push_file(box, 2, 40);
    const auto root = box.store->blob_record(sha(content)).value()->root;
    const auto digest = kind == ObjectKind::kChunk  ? sha(content.substr(0, 200))
                        : kind == ObjectKind::kBlob ? sha(content)
                                                    : root;
    const auto at = box.offset_of(kind, digest);
    // In the head, in the payload, in the padding.
    for (const std::size_t where : {20u, 70u}) {
      box.disk().content(box.pack_path())->at(at + where) ^= 32;
      const auto report = check(box);
      box.disk().content(box.pack_path())->at(at + where) ^= 32;
      if (where == 70u) {
        CHECK(report.problems.empty());  // set aside the first time
        continue;
      }
      CHECK(report.problems.size() == 1);
      CHECK(names(report, std::string(to_word(kind)) + " " + digest.to_string()));
      CHECK_FALSE(box.packs().find({kind, digest}));
    }
    auto damaged = damaged_objects(*box.store);
    REQUIRE(damaged.size() == 1);
    CHECK(damaged[0].object.find(digest.to_string()) != std::string::npos);
    box.reopen();
    CHECK(damaged_objects(*box.store).size() == 1);
    CHECK(push_file(box, 2, 40) == content);
    CHECK(damaged_objects(*box.store).empty());
    CHECK(check(box).problems.empty());
    CHECK((read_blob(*box.store, sha(content)).value() == content));
  }
}

TEST_CASE("content that does not fit its digest is found though its checksum fits") {
  const test::LogCapture log;
  CasBox box;
  std::vector<NewObject> objects{
      {{ObjectKind::kChunk, sha("promised")}, Encoding::kRaw, 5, as_bytes("other")},
      {{ObjectKind::kChunk, sha("zstd")}, Encoding::kZstd, 4, as_bytes("not a zstd frame")},
      {{ObjectKind::kNode, sha("node")}, Encoding::kRaw, 5, as_bytes("other")},
      {{ObjectKind::kNode, sha("no node")}, Encoding::kRaw, 7, as_bytes("no node")},
      {{ObjectKind::kBlob, sha("blob")}, Encoding::kRaw, 9, as_bytes("no record")},
      {{ObjectKind::kRoot, sha("root")}, Encoding::kRaw, 9, as_bytes("no record")},
  };
  REQUIRE(box.packs().append(objects, kEveryone));
  const auto report = check(box);
  CHECK(report.problems.size() == objects.size());
  for (const auto& object : objects) {
    CHECK(names(report, object.key.digest.to_string()));
    CHECK_FALSE(box.packs().find(object.key));
  }
  CHECK(check(box).problems.empty());
}

TEST_CASE("damage to a pack's head or index names the pack") {
  const test::LogCapture log;
  CasBox box;
  push_file(box, 3, 20);
  box.reopen();
  REQUIRE(box.packs().complete_active_pack());
  box.disk().content(box.pack_path())->at(17) ^= 1;
  auto report = check(box);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].object == "pack 00000001");
  box.disk().content(box.pack_path())->at(17) ^= 1;
  box.disk().content(box.index_path())->at(99) ^= 1;
  report = check(box);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].object == "pack 00000001");
  box.reopen();
  CHECK(log.has("pack_index_rebuilt"));
  CHECK(check(box).problems.empty());
}

TEST_CASE("a pack that is gone is told with all that was in it, and ends no check") {
  const test::LogCapture log;
  CasBox box(4096);
  const auto lost = push_file(box, 4, 12);
  const auto kept = push_file(box, 5, 12);
  box.reopen();
  REQUIRE(box.disk().remove(box.pack_path(1)));
  const auto objects = box.packs().packs()[0].entries;
  const auto report = check(box);
  CHECK(report.problems.size() >= objects);
  CHECK(names(report, sha(lost.substr(0, 200)).to_string()));
  CHECK_FALSE(box.store->has(sha(lost), lost.size()));
  push_file(box, 4, 12);
  CHECK((read_blob(*box.store, sha(lost)).value() == lost));
  CHECK((read_blob(*box.store, sha(kept)).value() == kept));
}

TEST_CASE("a read error is the check's error, not damage") {
  CasBox box;
  push_file(box, 6, 5);
  box.faults().fail_at(3);
  const auto report = check_packs(*box.store, {});
  REQUIRE_FALSE(report);
  CHECK(report.error().slug == "io_error");
  CHECK(damaged_objects(*box.store).empty());
  CHECK(check(box).problems.empty());
}

TEST_CASE("a sample reads its share, another one with another seed") {
  CasBox box;
  push_file(box, 7, 2000);
  CheckOptions options;
  options.sample = 0.05;
  std::set<std::uint64_t> bytes;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    options.seed = seed;
    const auto report = check(box, options);
    CHECK(report.objects > 50);
    CHECK(report.objects < 200);
    CHECK(check(box, options).objects == report.objects);
    bytes.insert(report.bytes);
  }
  CHECK(bytes.size() > 1);
  options.sample = 0;
  CHECK(check(box, options).objects == 0);
}

TEST_CASE("a check keeps to its budget and ends when it is stopped") {
  CasBox box;
  push_file(box, 8, 200);
  CheckOptions options;
  options.bytes_per_second = 1;  // for ever
  std::atomic<bool> stop{false};
  options.stop = &stop;
  std::thread stopper([&stop] { stop = true; });
  const auto started = std::chrono::steady_clock::now();
  const auto report = check(box, options);
  stopper.join();
  CHECK(report.objects < 200);
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(5));
  stop = false;
  options.bytes_per_second = 1u << 30;
  CHECK(check(box, options).objects == box.store->totals().objects);
}

TEST_CASE("a collection that moves packs away meanwhile is no damage") {
  CasBox box(4096);
  push_file(box, 9, 100);
  REQUIRE(box.packs().complete_active_pack());
  bool has_moved = false;
  box.faults().fail_when([&](const std::string& call) {
    if (call == "open_readable" && !has_moved) {
      has_moved = true;
      const auto collection = std::move(Collection::start(*box.store, 0).value());
      collection->condemn();
      CHECK(collection->move_to_trash("run"));
    }
    return false;
  });
  const auto report = check(box);
  CHECK(has_moved);
  CHECK(report.problems.empty());
  CHECK_FALSE(box.packs().has_damage());
}
