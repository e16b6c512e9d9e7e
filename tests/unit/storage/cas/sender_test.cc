// The stream of a pull is the same whatever room it is read into, and ends where something is damaged.
#include "storage/cas/sender.h"

#include "storage/cas/stream_format.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::random_bytes;
using test::sha;

namespace {

constexpr std::size_t kMiB = 1u << 20;

struct Sent {
  std::string bytes;
  std::string failure;
};

Sent send(ContentStore& store, const std::vector<Want>& wants, std::size_t room) {
  auto sender = Sender::prepare(store, wants);
  REQUIRE(sender);
  Sent sent;
  std::vector<std::uint8_t> piece(room);
  while (true) {
    const auto got = sender->read(piece);
    if (!got) return sent.failure = got.error().slug, sent;
    if (*got == 0) return sent;
    sent.bytes.append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

}  // namespace

TEST_CASE("records come whole where they fit and in parts where they do not, the same bytes in all") {
  CasBox box;
  const auto large = random_bytes(1, 2 * kMiB) + std::string(kMiB, 'z');
  REQUIRE(box.store->put(large));
  REQUIRE(box.store->put("small"));
  const std::vector<Want> wants = {
      {sha("small"), 0, 5}, {sha(large), 100'000, 2 * kMiB}, {sha(large), 0, large.size()}};
  const auto whole = send(*box.store, wants, 8 * kMiB);
  CHECK(whole.failure.empty());
  CHECK(whole.bytes.size() == Sender::prepare(*box.store, wants)->size_bytes());
  for (const std::size_t room : {std::size_t{1}, std::size_t{47}, kRecordHeadBytes, std::size_t{70'001}, kMiB}) {
    CAPTURE(room);
    CHECK((send(*box.store, wants, room).bytes == whole.bytes));
  }
  CHECK(Sender::prepare(*box.store, wants)->read({}).value() == 0);
}

TEST_CASE("a damaged chunk ends the stream, and nothing of it was sent") {
  for (const std::size_t room : {std::size_t{1000}, kMiB}) {
    CasBox box;
    const auto content = random_bytes(2, 600'000);
    REQUIRE(box.store->put(content));
    const auto chunks = box.store->chunks_of(sha(content), 0, content.size(), 100).value();
    REQUIRE(chunks.size() > 3);
    auto sender = Sender::prepare(*box.store, std::vector<Want>{{sha(content), 0, content.size()}});
    REQUIRE(sender);
    (*box.disk().content(box.pack_path()))[box.offset_of(ObjectKind::kChunk, chunks[2].digest) + 100] ^= 1;
    std::uint64_t sent_bytes = 0;
    std::vector<std::uint8_t> piece(room);
    auto got = sender->read(piece);
    for (; got && *got > 0; got = sender->read(piece)) sent_bytes += *got;
    REQUIRE_FALSE(got);
    CHECK(sent_bytes <= chunks[2].offset + 2 * kRecordHeadBytes);
  }
}
