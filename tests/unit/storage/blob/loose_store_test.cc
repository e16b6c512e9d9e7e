// Stores of releases before 0.2: found, walked, taken apart, with strangers and failures on the way.
#include "storage/blob/loose_store.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/unit/catch.h"
#include "tests/unit/storage/blob/fault_env.h"
#include "tests/unit/storage/cas/power_cut_env.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::blob;
namespace fs = std::filesystem;

namespace {

// As the old release wrote it, on a disk in memory.
struct OldStore {
  OldStore() {
    for (const auto* dir : {"/blobs", "/blobs/tmp", "/blobs/sha256"}) REQUIRE(disk.make_dir(dir));
    for (unsigned i = 0; i < 256; ++i) REQUIRE(disk.make_dir(fmt::format("/blobs/sha256/{:02x}", i)));
  }
  crypto::Digest add(const std::string& content) {
    const auto digest = crypto::sha256(std::string_view(content));
    write(path_of(digest), content);
    return digest;
  }
  void write(const std::string& path, std::string_view content) {
    const auto file = disk.create_exclusive(path);
    REQUIRE(file);
    REQUIRE((*file)->append(as_bytes(content)));
  }
  bool has(const std::string& path) { return disk.content(path) != nullptr; }
  static std::string path_of(const crypto::Digest& digest) {
    return "/blobs/sha256/" + digest.hex().substr(0, 2) + "/" + digest.hex();
  }

  FakeClock clock{1};
  test::PowerCutEnv disk{clock};
  test::FaultEnv env{disk};
  LooseStore store{"/blobs", env};
};

}  // namespace

TEST_CASE("a directory without the old format is no store") {
  const test::TempDir dir;
  LooseStore store(dir / "blobs", posix_env());
  CHECK_FALSE(store.exists().value());
  fs::create_directories(dir / "blobs/packs");
  CHECK_FALSE(store.exists().value());
  CHECK(store.for_each([](const crypto::Digest&, std::uint64_t) { return Status(); }));
  OldStore old;
  CHECK(old.store.exists().value());
  old.env.fail_at(1);
  CHECK(old.store.exists().error().slug == "io_error");
}

TEST_CASE("a store on a real disk is read") {
  const test::TempDir dir;
  const auto digest = crypto::sha256(std::string_view("content"));
  const auto folder = dir / ("blobs/sha256/" + digest.hex().substr(0, 2));
  fs::create_directories(folder);
  std::ofstream(folder + "/" + digest.hex()) << "content";
  LooseStore store(dir / "blobs", posix_env());
  int visits = 0;
  REQUIRE(store.for_each([&](const crypto::Digest& found, std::uint64_t size_bytes) -> Status {
    ++visits;
    CHECK(found == digest);
    CHECK(size_bytes == 7);
    return store.remove(found);
  }));
  CHECK(visits == 1);
  REQUIRE(store.remove_directories());
  CHECK_FALSE(fs::exists(dir / "blobs/sha256"));
}

TEST_CASE("every file is visited once with its size, strangers are not") {
  OldStore old;
  std::map<crypto::Digest, std::uint64_t> wanted;
  for (const std::string content : {"", "a", "bb", "ccc"}) wanted[old.add(content)] = content.size();
  old.write("/blobs/sha256/00/notes.txt", "not a blob");
  std::map<crypto::Digest, std::uint64_t> seen;
  REQUIRE(old.store.for_each([&](const crypto::Digest& digest, std::uint64_t size_bytes) -> Status {
    CHECK(seen.emplace(digest, size_bytes).second);
    return {};
  }));
  CHECK(seen == wanted);
  int visits = 0;
  const auto stopped = old.store.for_each([&](const crypto::Digest&, std::uint64_t) -> Status {
    ++visits;
    return fail(ErrorCode::kInternal, "enough", "enough");
  });
  CHECK(stopped.error().slug == "enough");
  CHECK(visits == 1);
}

TEST_CASE("what was visited may be removed on the way, and a second walk goes on where the first ended") {
  OldStore old;
  for (int i = 0; i < 20; ++i) old.add(std::to_string(i));
  int visits = 0;
  const auto take = [&](const crypto::Digest& digest, std::uint64_t size_bytes) -> Status {
    const auto file = old.store.open(digest);
    REQUIRE(file);
    CHECK((*file)->size_bytes() == size_bytes);
    if (++visits == 8) return fail(ErrorCode::kUnavailable, "stopped", "stopped");
    return old.store.remove(digest);
  };
  CHECK(old.store.for_each(take).error().slug == "stopped");
  REQUIRE(old.store.for_each(take));
  CHECK(visits == 21);
  REQUIRE(old.store.for_each(
      [](const crypto::Digest&, std::uint64_t) -> Status { return fail(ErrorCode::kInternal, "left", "left"); }));
  CHECK(old.store.open(crypto::sha256(std::string_view("1"))).error().slug == "file_not_found");
}

TEST_CASE("a damaged file is set aside under its name") {
  OldStore old;
  const auto digest = old.add("damaged");
  REQUIRE(old.store.set_aside(digest));
  CHECK_FALSE(old.has(OldStore::path_of(digest)));
  CHECK(*old.disk.content("/blobs/damaged/" + digest.hex()) == "damaged");
  CHECK(old.store.set_aside(digest).error().slug == "file_not_found");
}

TEST_CASE("empty directories go, uploads that never ended too; damaged files and strangers stay") {
  OldStore old;
  const auto damaged = old.add("damaged");
  REQUIRE(old.store.set_aside(damaged));
  old.write("/blobs/tmp/0123456789abcdef", "half a file");
  REQUIRE(old.store.remove_directories());
  CHECK_FALSE(old.store.exists().value());
  CHECK_FALSE(old.disk.list_dir("/blobs/tmp"));
  CHECK(old.has("/blobs/damaged/" + damaged.hex()));
}

TEST_CASE("a file that is still there keeps the store from being removed") {
  OldStore old;
  const auto digest = old.add("not converted");
  CHECK_FALSE(old.store.remove_directories());
  CHECK(old.has(OldStore::path_of(digest)));
  CHECK(old.store.exists().value());
  REQUIRE(old.store.remove(digest));
  REQUIRE(old.store.remove_directories());
  CHECK_FALSE(old.store.exists().value());
}

TEST_CASE("whatever call of the removal fails, trying again ends well") {
  for (int n = 1;; n += n < 8 ? 1 : 17) {
    OldStore old;
    old.env.fail_at(n);
    const auto removed = old.store.remove_directories();
    const auto failed = old.env.failed();
    old.env.fail_at(0);
    if (failed.empty()) break;
    INFO("call " << n << ": " << failed);
    if (!removed) REQUIRE(old.store.remove_directories());
    CHECK_FALSE(old.disk.list_dir("/blobs/sha256"));
  }
}
