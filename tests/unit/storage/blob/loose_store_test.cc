// Stores of releases before 0.2: found, walked, taken apart, with strangers and failures on the way.
#include "storage/blob/loose_store.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/unit/catch.h"
#include "tests/unit/storage/blob/fault_env.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::blob;
namespace fs = std::filesystem;

namespace {

// As the old release wrote it.
struct OldStore {
  OldStore() {
    fs::create_directories(dir / "blobs/tmp");
    for (unsigned i = 0; i < 256; ++i) {
      const std::array<std::uint8_t, 1> byte{static_cast<std::uint8_t>(i)};
      fs::create_directories(dir / ("blobs/sha256/" + to_hex(byte)));
    }
  }
  crypto::Digest add(const std::string& content) const {
    const auto digest = crypto::sha256(std::string_view(content));
    std::ofstream(path_of(digest), std::ios::binary) << content;
    return digest;
  }
  std::string path_of(const crypto::Digest& digest) const {
    return dir / ("blobs/sha256/" + digest.hex().substr(0, 2) + "/" + digest.hex());
  }

  test::TempDir dir;
  test::FaultEnv env{posix_env()};
  LooseStore store{dir / "blobs", env};
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

TEST_CASE("every file is visited once with its size, strangers are not") {
  OldStore old;
  std::map<crypto::Digest, std::uint64_t> wanted;
  for (const std::string content : {"", "a", "bb", "ccc"}) wanted[old.add(content)] = content.size();
  std::ofstream(old.dir / "blobs/sha256/00/notes.txt") << "not a blob";
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
  CHECK_FALSE(fs::exists(old.path_of(digest)));
  CHECK(read_file(old.dir / ("blobs/damaged/" + digest.hex())).value() == "damaged");
  CHECK(old.store.set_aside(digest).error().slug == "file_not_found");
}

TEST_CASE("empty directories go, uploads that never ended too; damaged files and strangers stay") {
  OldStore old;
  const auto damaged = old.add("damaged");
  REQUIRE(old.store.set_aside(damaged));
  std::ofstream(old.dir / "blobs/tmp/0123456789abcdef") << "half a file";
  REQUIRE(old.store.remove_directories());
  CHECK_FALSE(old.store.exists().value());
  CHECK_FALSE(fs::exists(old.dir / "blobs/tmp"));
  CHECK(fs::exists(old.dir / ("blobs/damaged/" + damaged.hex())));
}

TEST_CASE("a file that is still there keeps the store from being removed") {
  OldStore old;
  const auto digest = old.add("not converted");
  CHECK_FALSE(old.store.remove_directories());
  CHECK(fs::exists(old.path_of(digest)));
  CHECK(old.store.exists().value());
  REQUIRE(old.store.remove(digest));
  REQUIRE(old.store.remove_directories());
  CHECK_FALSE(old.store.exists().value());
}

TEST_CASE("whatever call of the removal fails, trying again ends well") {
  for (int n = 1;; n += n < 8 ? 1 : 83) {
    OldStore old;
    old.env.fail_at(n);
    const auto removed = old.store.remove_directories();
    const auto failed = old.env.failed();
    old.env.fail_at(0);
    if (failed.empty()) break;
    INFO("call " << n << ": " << failed);
    if (!removed) REQUIRE(old.store.remove_directories());
    CHECK_FALSE(fs::exists(old.dir / "blobs/sha256"));
  }
}
