// Frames, pack heads and indexes: what was written is read, and no single bit of them can flip unnoticed.
#include "storage/cas/frame.h"

#include "storage/cas/little_endian.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/append_frame.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;

namespace {

PackEntry entry_of(std::string_view payload, Encoding encoding = Encoding::kRaw) {
  PackEntry entry;
  entry.key = {ObjectKind::kChunk, crypto::sha256(payload)};
  entry.encoding = encoding;
  entry.raw_bytes = 1000;
  entry.stored_bytes = static_cast<std::uint32_t>(payload.size());
  entry.owner = 0x0123456789abcdef;
  return entry;
}

std::vector<std::uint8_t> frame_of(const PackEntry& entry, std::string_view payload) {
  std::vector<std::uint8_t> out;
  append_frame(out, entry, as_bytes(payload));
  return out;
}

// Whole and undamaged, as whoever scans a pack or knows its index would find out.
bool is_found(const PackEntry& entry, ByteView frame) {
  const auto head = parse_frame_head(frame);
  return head && head->key == entry.key && check_frame(*head, frame);
}

}  // namespace

TEST_CASE("a frame says what it holds, whatever the payload's size") {
  for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 1000u, 4096u}) {
    INFO(size);
    const auto payload = test::random_bytes(size, size);
    const auto entry = entry_of(payload, Encoding::kPlanes);
    const auto frame = frame_of(entry, payload);
    CHECK(frame.size() % kFrameAlign == 0);
    CHECK(frame.size() == entry.frame_bytes());
    const auto head = parse_frame_head(frame);
    REQUIRE(head);
    CHECK(head->key == entry.key);
    CHECK(head->encoding == Encoding::kPlanes);
    CHECK(head->raw_bytes == 1000);
    CHECK(head->stored_bytes == size);
    CHECK(head->owner == entry.owner);
    CHECK(check_frame(entry, frame));
    // Without its padding, as the last of a cut-off pack.
    CHECK(check_frame(entry, ByteView(frame).first(kFrameHeadBytes + size)));
    if (size > 0) CHECK_FALSE(check_frame(entry, ByteView(frame).first(kFrameHeadBytes + size - 1)));
  }
}

TEST_CASE("every single bit of a frame is covered: head, payload and padding") {
  const auto payload = test::random_bytes(1, 100);
  const auto entry = entry_of(payload);
  auto frame = frame_of(entry, payload);
  REQUIRE(frame.size() == 192);
  REQUIRE(is_found(entry, frame));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    if (is_found(entry, frame) || check_frame(entry, frame)) FAIL("bit " << bit << " flipped unnoticed");
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  CHECK(is_found(entry, frame));
}

TEST_CASE("a frame is that of its entry and of no other") {
  const auto payload = test::random_bytes(2, 50);
  const auto entry = entry_of(payload);
  const auto frame = frame_of(entry, payload);
  auto other = entry;
  other.key.kind = ObjectKind::kNode;
  CHECK_FALSE(check_frame(other, frame));
  other = entry;
  other.raw_bytes = 999;
  CHECK_FALSE(check_frame(other, frame));
  other = entry;
  other.stored_bytes = 49;
  CHECK_FALSE(check_frame(other, frame));
  other = entry;
  other.owner = kEveryone;
  CHECK_FALSE(check_frame(other, frame));
  other = entry;
  other.encoding = Encoding::kZstd;
  CHECK_FALSE(check_frame(other, frame));
  other = entry;
  other.offset = 640;  // where it lies is not in it
  CHECK(check_frame(other, frame));
}

TEST_CASE("no frame begins in zeros, in short bytes or with sizes that no object has") {
  const std::vector<std::uint8_t> zeros(256);
  CHECK_FALSE(parse_frame_head(zeros));
  const auto frame = frame_of(entry_of("abc"), "abc");
  for (std::size_t size = 0; size < kFrameHeadBytes; ++size) CHECK_FALSE(parse_frame_head(ByteView(frame).first(size)));
  CHECK(parse_frame_head(ByteView(frame).first(kFrameHeadBytes)));
  for (const std::size_t at : {8u, 12u}) {
    auto changed = frame;
    store_le(changed.data() + at, static_cast<std::uint32_t>(kPayloadLimitBytes + 1));
    CHECK_FALSE(parse_frame_head(changed));
  }
}

TEST_CASE("a pack's head is whole or refused") {
  auto bytes = pack_head_bytes({0x89abcdef, 1'800'000'000'123'456});
  const auto head = parse_pack_head(bytes);
  REQUIRE(head);
  CHECK(head->pack_id == 0x89abcdef);
  CHECK(head->created_at_us == 1'800'000'000'123'456);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto damaged = parse_pack_head(bytes);
    if (damaged) FAIL("bit " << bit << " flipped unnoticed");
    if (bit == 0) CHECK(damaged.error().slug == "pack_damaged");
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  CHECK_FALSE(parse_pack_head(ByteView(bytes).first(kPackHeadBytes - 1)));
}

TEST_CASE("an index is whole or refused: every bit, every length") {
  PackIndex index{7, 12'345'678'901, {}};
  for (int i = 0; i < 5; ++i) {
    auto entry = entry_of(std::string(static_cast<std::size_t>(i), 'x'), Encoding::kZstd);
    entry.offset = 64u + 128u * static_cast<unsigned>(i);
    index.entries.push_back(entry);
  }
  auto text = index_bytes(index);
  const auto parsed = parse_index(as_bytes(text));
  REQUIRE(parsed);
  CHECK(parsed->pack_id == 7);
  CHECK(parsed->covered_bytes == 12'345'678'901);
  REQUIRE(parsed->entries.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(parsed->entries[i].key == index.entries[i].key);
    CHECK(parsed->entries[i].offset == index.entries[i].offset);
    CHECK(parsed->entries[i].encoding == Encoding::kZstd);
    CHECK(parsed->entries[i].raw_bytes == 1000);
    CHECK(parsed->entries[i].stored_bytes == i);
    CHECK(parsed->entries[i].owner == index.entries[i].owner);
  }
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    if (parse_index(as_bytes(text))) FAIL("bit " << bit << " flipped unnoticed");
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (parse_index(as_bytes(text).first(size))) FAIL("cut at " << size << " unnoticed");
  }
  CHECK(parse_index(as_bytes(text + std::string(64, '\0'))).error().slug == "index_damaged");
  CHECK(parse_index(as_bytes(index_bytes({1, 64, {}})))->entries.empty());
}
