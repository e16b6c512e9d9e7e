// Files in and out by digest: what does not match is not kept, what is damaged is not served.
#include "storage/cas/content_store.h"

#include <fstream>

#include "storage/blob/local_store.h"
#include "tests/unit/storage/blob/fault_env.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::cas;
namespace fs = std::filesystem;

namespace {

struct Box {
  Box() : env(posix_env()), store(blob::open_local_store({dir / "blobs", 0}, env).value()) {}

  std::string path_of(const crypto::Digest& digest) const {
    return dir / ("blobs/sha256/" + digest.hex().substr(0, 2) + "/" + digest.hex());
  }
  // Bit rot: other bytes of the same size.
  void damage(const crypto::Digest& digest) const {
    auto size = fs::file_size(path_of(digest));
    std::ofstream(path_of(digest), std::ios::binary) << std::string(size, '?');
  }
  bool tmp_is_empty() const { return fs::directory_iterator(dir / "blobs/tmp") == fs::directory_iterator(); }

  test::TempDir dir;
  test::FaultEnv env;
  ContentStore store;
};

}  // namespace

TEST_CASE("what is put can be read, under the digest of its bytes") {
  Box box;
  const auto stored = box.store.put("hello");
  REQUIRE(stored);
  CHECK(stored->digest == crypto::sha256(std::string_view("hello")));
  CHECK(stored->size_bytes == 5);
  CHECK(box.store.has(stored->digest, 5));
  CHECK_FALSE(box.store.has(stored->digest, 4));
  CHECK(box.store.read(stored->digest, 5).value() == "hello");
  CHECK(box.store.read(stored->digest, 4).error().slug == "blob_too_large");
  CHECK(box.store.verify(stored->digest, 5));
  REQUIRE(box.store.put("hello"));
  const auto totals = box.store.totals();
  REQUIRE(totals);
  CHECK(totals->blobs == 1);
  CHECK(totals->bytes == 5);
}

TEST_CASE("the empty file is a file") {
  Box box;
  const auto stored = box.store.put("");
  REQUIRE(stored);
  CHECK(box.store.has(stored->digest, 0));
  CHECK(box.store.read(stored->digest, 0).value().empty());
}

TEST_CASE("bytes that are not the promised ones are refused and not kept, under neither name") {
  Box box;
  const auto promised = crypto::sha256(std::string_view("promised"));
  {
    auto upload = box.store.start_upload();
    REQUIRE(upload);
    REQUIRE(upload->append(as_bytes("other")));
    const auto stored = upload->finish(promised);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == ErrorCode::kInvalid);
    CHECK(stored.error().slug == "digest_mismatch");
  }
  CHECK_FALSE(box.store.has(promised, 5));
  CHECK_FALSE(box.store.has(crypto::sha256(std::string_view("other")), 5));
  CHECK(box.tmp_is_empty());
  auto again = box.store.start_upload();
  REQUIRE(again->append(as_bytes("prom")));
  REQUIRE(again->append(as_bytes("ised")));
  CHECK(again->finish(promised)->digest == promised);
}

TEST_CASE("a damaged blob is found, no longer deduplicated against, and healed by a new upload") {
  Box box;
  const auto good = box.store.put("good").value();
  const auto bad = box.store.put("rotting").value();
  box.damage(bad.digest);
  CHECK(box.store.has(bad.digest, bad.size_bytes));  // nobody has looked yet
  const auto problems = box.store.scrub();
  REQUIRE(problems);
  REQUIRE(problems->size() == 1);
  CHECK(problems->front().object == bad.digest.to_string());
  CHECK_FALSE(box.store.has(bad.digest, bad.size_bytes));
  CHECK(box.store.has(good.digest, good.size_bytes));
  CHECK(box.store.read(bad.digest, 100).error().slug == "blob_damaged");
  REQUIRE(box.store.put("rotting"));
  CHECK(box.store.has(bad.digest, bad.size_bytes));
  CHECK(box.store.read(bad.digest, 100).value() == "rotting");
  CHECK(box.store.scrub().value().empty());
}

TEST_CASE("a blob of another size or with other bytes fails its check; an absent one is not damage") {
  Box box;
  const auto stored = box.store.put("hello").value();
  const auto longer = box.store.verify(stored.digest, 6);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == ErrorCode::kCorrupt);
  CHECK(longer.error().message.find("size 5 instead of 6") != std::string::npos);
  REQUIRE(box.store.put("hello"));
  box.damage(stored.digest);
  CHECK(box.store.verify(stored.digest, 5).error().slug == "blob_damaged");
  CHECK(box.store.verify(crypto::sha256(std::string_view("absent")), 1).error().slug == "blob_not_found");
}

TEST_CASE("an upload that cannot be published does not heal") {
  Box box;
  const auto stored = box.store.put("rotting").value();
  box.damage(stored.digest);
  REQUIRE(box.store.scrub());
  // create, append, sync, close, rename: each fails once, before the new bytes stand.
  for (int n = 1; n <= 5; ++n) {
    box.env.fail_at(n);
    CHECK_FALSE(box.store.put("rotting"));
    CHECK_FALSE(box.env.failed().empty());
    box.env.fail_at(0);
    CHECK_FALSE(box.store.has(stored.digest, stored.size_bytes));
    CHECK(box.tmp_is_empty());
  }
  REQUIRE(box.store.put("rotting"));
  CHECK(box.store.has(stored.digest, stored.size_bytes));
}

TEST_CASE("a read error is an error, not damage") {
  Box box;
  const auto stored = box.store.put("hello").value();
  box.env.fail_at(1);
  CHECK(box.store.verify(stored.digest, 5).error().slug == "io_error");
  CHECK(box.store.has(stored.digest, 5));
}
