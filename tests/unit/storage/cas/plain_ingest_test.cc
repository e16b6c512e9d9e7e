// Files as plain bytes through the ring of stages: the same store as chunk by chunk, whatever their size and however
// the stream comes or ends.
#include "storage/cas/plain_ingest.h"

#include <latch>
#include <thread>

#include "storage/cas/check.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::random_bytes;
using test::read_blob;
using test::sha;

namespace {

constexpr std::size_t kKiB = 1u << 10;
constexpr std::size_t kMiB = 1u << 20;

Failure lost() {
  return fail(ErrorCode::kUnavailable, "peer_gone", "the peer left");
}

// In pieces of `piece` bytes; lost after `whole` of them.
StreamRead stream_of(const std::string& content, std::size_t piece, std::size_t whole = SIZE_MAX) {
  return [&content, piece, whole, at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    if (at >= whole) return lost();
    const auto some = std::min({into.size(), piece, content.size() - at, whole - at});
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(at), some, into.begin());
    at += some;
    return some;
  };
}

}  // namespace

TEST_CASE("plain files of every size and in pieces of any size are what they were") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 16 * kKiB, 256 * kKiB - 1, 256 * kKiB, 256 * kKiB + 1,
                                 kMiB - 1, kMiB, kMiB + 1, 9 * kMiB + 77}) {
    for (const std::size_t piece : {100'003u, 4'000'000u}) {
      CAPTURE(size, piece);
      CasBox box;
      const auto content = random_bytes(size, size);
      const auto received = receive_plain(*box.store, kEveryone, stream_of(content, piece), sha(content));
      REQUIRE(received);
      CHECK(received->file.digest == sha(content));
      CHECK(received->file.size_bytes == size);
      CHECK(received->new_bytes >= size);
      CHECK((read_blob(*box.store, sha(content)).value() == content));
      const auto again = receive_plain(*box.store, kEveryone, stream_of(content, piece));
      REQUIRE(again);
      CHECK(again->new_bytes == 0);
      CHECK(check_packs(*box.store, {}).value().problems.empty());
    }
  }
}

TEST_CASE("a plain file has the chunks that any other way of bringing it in gives it") {
  CasBox box;
  CasBox other;
  const auto content = random_bytes(1, 5 * kMiB) + std::string(3 * kMiB, 'z') + random_bytes(2, 2 * kMiB);
  REQUIRE(receive_plain(*box.store, kEveryone, stream_of(content, 300'000)));
  REQUIRE(other.store->put(content));
  CHECK(box.store->totals().objects == other.store->totals().objects);
  const auto chunks = other.store->chunks_of(sha(content), 0, content.size(), 10'000).value();
  const auto same = box.store->chunks_of(sha(content), 0, content.size(), 10'000).value();
  REQUIRE(chunks.size() == same.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) CHECK(chunks[i].digest == same[i].digest);
}

TEST_CASE("many plain files at once are each what they were, whoever does the work") {
  CasBox box;
  constexpr std::size_t kFiles = 12;
  const auto shared = random_bytes(0, 2 * kMiB);
  std::vector<std::string> contents;
  for (std::size_t i = 0; i < kFiles; ++i) contents.push_back(random_bytes(i + 1, 2 * kMiB) + shared);
  std::vector<crypto::Digest> digests(kFiles);
  std::vector<std::thread> threads;
  // All have begun before one may go on, so that more than a few are under way.
  std::latch begun(kFiles);
  for (std::size_t i = 0; i < kFiles; ++i) {
    threads.emplace_back([&, i] {
      const StreamRead stream = [&, read = stream_of(contents[i], 100'000), pieces = 0](auto into) mutable {
        if (++pieces == 8) begun.arrive_and_wait();
        return read(into);
      };
      const auto received = receive_plain(*box.store, kEveryone, stream);
      if (received) digests[i] = received->file.digest;
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < kFiles; ++i) {
    CAPTURE(i);
    CHECK(digests[i] == sha(contents[i]));
    CHECK((read_blob(*box.store, digests[i]).value() == contents[i]));
  }
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("a plain file whose known part is lost while it arrives is stored all the same") {
  CasBox box;
  const auto content = random_bytes(6, 4 * kMiB);
  REQUIRE(box.store->put(content));
  const auto first = box.store->chunks_of(sha(content), 0, 1, 1).value().at(0);
  const StreamRead stream = [&, read = stream_of(content, 100'000), pieces = 0](auto into) mutable {
    if (++pieces == 20) box.packs().quarantine({ObjectKind::kChunk, first.digest});
    return read(into);
  };
  const auto received = receive_plain(*box.store, kEveryone, stream);
  // Either it was seen in time and is here again, or the push says so and the next one sends it.
  if (!received) {
    CHECK(received.error().slug == "store_changed");
    REQUIRE(receive_plain(*box.store, kEveryone, stream_of(content, kMiB)));
  }
  CHECK((read_blob(*box.store, sha(content)).value() == content));
}

TEST_CASE("other bytes than expected are no file") {
  CasBox box;
  const auto content = random_bytes(3, 3 * kMiB);
  const auto refused = receive_plain(*box.store, kEveryone, stream_of(content, kMiB), sha("other"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "digest_mismatch");
  CHECK_FALSE(box.store->has(sha(content), content.size()));
}

TEST_CASE("a plain stream that breaks off leaves its chunks, durable, and no file") {
  CasBox box;
  const auto content = random_bytes(4, 8 * kMiB);
  const auto broken = receive_plain(*box.store, kEveryone, stream_of(content, 200'000, 6 * kMiB));
  REQUIRE_FALSE(broken);
  CHECK(broken.error().slug == "peer_gone");
  CHECK_FALSE(box.store->has(sha(content), content.size()));
  box.cut(test::Cut::kDropAll);
  const auto again = receive_plain(*box.store, kEveryone, stream_of(content, 200'000));
  REQUIRE(again);
  CHECK(again->new_bytes < 2 * kMiB + 600 * kKiB);
  CHECK((read_blob(*box.store, sha(content)).value() == content));
}

TEST_CASE("a disk that fails in the middle of a plain file is told, and nothing waits for ever") {
  CasBox box;
  const auto content = random_bytes(5, 8 * kMiB);
  int appends = 0;
  box.faults().fail_when([&](const std::string& call) { return call.starts_with("append") && ++appends == 3; });
  const auto failed = receive_plain(*box.store, kEveryone, stream_of(content, kMiB));
  REQUIRE_FALSE(failed);
  CHECK_FALSE(box.store->has(sha(content), content.size()));
}
