// Blobs as files: visible only when durable, nothing left behind, whatever call fails.
#include "storage/blob/local_store.h"

#include <fstream>
#include <set>

#include "tests/unit/storage/blob/fault_env.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::blob;
namespace fs = std::filesystem;

namespace {

const std::string kContent = "forty-two bytes of no importance whatever";
const auto kDigest = crypto::sha256(std::string_view(kContent));

std::unique_ptr<BlobStore> open_store(const std::string& root, Env& env = posix_env()) {
  auto store = open_local_store({root, 0}, env);
  REQUIRE(store);
  return std::move(*store);
}

Status put(BlobStore& store, const std::string& content) {
  MLOPS_ASSIGN(auto writer, store.create());
  MLOPS_TRY(writer->append(as_bytes(content)));
  return writer->publish(crypto::sha256(std::string_view(content)));
}

std::string get(const BlobStore& store, const crypto::Digest& digest) {
  const auto reader = store.open(digest);
  REQUIRE(reader);
  std::string out((*reader)->size_bytes(), '\0');
  const std::span<std::uint8_t> into(reinterpret_cast<std::uint8_t*>(out.data()), out.size());
  REQUIRE((*reader)->read_at(0, into).value() == out.size());
  return out;
}

bool is_empty(const std::string& dir) { return fs::directory_iterator(dir) == fs::directory_iterator(); }

}  // namespace

TEST_CASE("a blob is found by its digest, whole and in parts") {
  const test::TempDir dir;
  auto store = open_store(dir / "blobs");
  CHECK(store->open(kDigest).error().slug == "blob_not_found");
  CHECK(store->size_bytes(kDigest).error().code == ErrorCode::kNotFound);
  REQUIRE(put(*store, kContent));
  CHECK(store->size_bytes(kDigest).value() == kContent.size());
  CHECK(get(*store, kDigest) == kContent);
  std::uint8_t part[5];
  CHECK(store->open(kDigest).value()->read_at(kContent.size() - 2, part).value() == 2);
  CHECK(fs::exists(dir / ("blobs/sha256/" + kDigest.hex().substr(0, 2) + "/" + kDigest.hex())));
}

TEST_CASE("nothing is visible before it is published, and a dropped writer leaves nothing") {
  const test::TempDir dir;
  auto store = open_store(dir / "blobs");
  {
    auto writer = store->create();
    REQUIRE(writer);
    REQUIRE((*writer)->append(as_bytes(kContent)));
    CHECK_FALSE(store->size_bytes(kDigest));
    CHECK_FALSE(is_empty(dir / "blobs/tmp"));
  }
  CHECK(is_empty(dir / "blobs/tmp"));
  CHECK_FALSE(store->size_bytes(kDigest));
}

TEST_CASE("what a crash left in tmp is removed at start, published blobs stay") {
  const test::TempDir dir;
  REQUIRE(put(*open_store(dir / "blobs"), kContent));
  std::ofstream(dir / "blobs/tmp/0123456789abcdef") << "half a blob";
  std::ofstream(dir / "blobs/tmp/another") << "";
  auto store = open_store(dir / "blobs");
  CHECK(is_empty(dir / "blobs/tmp"));
  CHECK(get(*store, kDigest) == kContent);
}

TEST_CASE("every blob is visited once, foreign files are not") {
  const test::TempDir dir;
  auto store = open_store(dir / "blobs");
  std::set<crypto::Digest> wanted;
  for (const std::string content : {"", "a", "b", "c"}) {
    REQUIRE(put(*store, content));
    wanted.insert(crypto::sha256(std::string_view(content)));
  }
  REQUIRE(put(*store, "a"));
  std::ofstream(dir / "blobs/sha256/00/notes.txt") << "not a blob";
  std::set<crypto::Digest> seen;
  std::uint64_t bytes = 0;
  REQUIRE(store->for_each([&](const crypto::Digest& digest, std::uint64_t size_bytes) -> Status {
    CHECK(seen.insert(digest).second);
    bytes += size_bytes;
    return {};
  }));
  CHECK(seen == wanted);
  CHECK(bytes == 3);
  int visits = 0;
  const auto stopped = store->for_each([&](const crypto::Digest&, std::uint64_t) -> Status {
    ++visits;
    return fail(ErrorCode::kInternal, "enough", "enough");
  });
  CHECK(stopped.error().slug == "enough");
  CHECK(visits == 1);
}

TEST_CASE("a published blob replaces a damaged one; a removed one is gone") {
  const test::TempDir dir;
  auto store = open_store(dir / "blobs");
  REQUIRE(put(*store, kContent));
  std::ofstream(dir / ("blobs/sha256/" + kDigest.hex().substr(0, 2) + "/" + kDigest.hex())) << "damaged";
  REQUIRE(put(*store, kContent));
  CHECK(get(*store, kDigest) == kContent);
  REQUIRE(store->remove(kDigest));
  CHECK_FALSE(store->size_bytes(kDigest));
}

TEST_CASE("uploads stop before the disk is full") {
  const test::TempDir dir;
  auto store = open_local_store({dir / "blobs", 101}, posix_env());
  REQUIRE(store);
  const auto writer = (*store)->create();
  REQUIRE_FALSE(writer);
  CHECK(writer.error().code == ErrorCode::kExhausted);
  CHECK(writer.error().slug == "disk_full");
  CHECK(is_empty(dir / "blobs/tmp"));
}

TEST_CASE("whatever call of an upload fails, nothing is visible and a retry works") {
  std::set<std::string> failed;
  for (int n = 1; n < 100; ++n) {
    const test::TempDir dir;
    test::FaultEnv env(posix_env());
    auto store = open_store(dir / "blobs", env);
    env.fail_at(n);
    const auto status = put(*store, kContent);
    const auto what = env.failed();
    env.fail_at(0);
    if (status) {
      CHECK(what.empty());
      break;
    }
    INFO("call " << n << ": " << what);
    failed.insert(what);
    CHECK(status.error().slug == "io_error");
    CHECK(is_empty(dir / "blobs/tmp"));
    // The failing directory sync has a test of its own below.
    if (what != "sync_dir") CHECK_FALSE(store->size_bytes(kDigest));
    REQUIRE(put(*store, kContent));
    CHECK(get(*store, kDigest) == kContent);
  }
  CHECK(failed == std::set<std::string>{"append", "close", "create_exclusive", "rename_replace", "sync", "sync_dir"});
}

// blob_store.h: "visible only when publish() has made it durable". After a failed directory sync publish() fails, but the
// renamed file is already visible, so that a retrying client deduplicates against a blob that a power loss may take away.
TEST_CASE("a blob whose directory could not be synced is not visible", "") {
  const test::TempDir dir;
  test::FaultEnv env(posix_env());
  auto store = open_store(dir / "blobs", env);
  env.fail_at(6);
  const auto status = put(*store, kContent);
  REQUIRE(env.failed() == "sync_dir");
  REQUIRE_FALSE(status);
  env.fail_at(0);
  CHECK_FALSE(store->size_bytes(kDigest));
}

TEST_CASE("whatever call of opening fails, opening again works and keeps what was published") {
  const test::TempDir dir;
  REQUIRE(put(*open_store(dir / "blobs"), kContent));
  test::FaultEnv env(posix_env());
  REQUIRE(open_local_store({dir / "blobs", 0}, env));
  const int calls = env.calls();
  // Each of the first and last calls, and some of the 256 alike ones between.
  for (int n = 1; n <= calls; n += (n > 4 && n < calls - 6) ? 50 : 1) {
    INFO("call " << n);
    env.fail_at(n);
    CHECK(open_local_store({dir / "blobs", 0}, env).error().slug == "io_error");
    env.fail_at(0);
    CHECK(get(*open_store(dir / "blobs", env), kDigest) == kContent);
  }
}
