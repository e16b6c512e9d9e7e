#include "storage/cas/frame.h"

#include <algorithm>
#include <cstring>

#include "core/base/checksum.h"
#include "storage/cas/little_endian.h"

namespace mlops::cas {
namespace {

// Frame head:  0 magic[4] | 4 kind u8 | 5 encoding u8 | 6 zero u16 | 8 raw u32 | 12 stored u32 | 16 digest[32] |
//             48 owner u64 | 56 checksum u64 over bytes 0..55 and the payload
constexpr std::array<std::uint8_t, 4> kFrameMagic{'M', 'L', 'F', '1'};
constexpr std::size_t kChecksumAt = 56;
// Pack head:   0 magic[8] | 8 pack id u32 | 12 zero u32 | 16 created_at_us u64 | 24 zero[32] | 56 checksum u64 over
// 0..55
constexpr std::array<std::uint8_t, 8> kPackMagic{'M', 'L', 'P', 'A', 'C', 'K', '1', '\n'};
// Index head:  0 magic[8] | 8 pack id u32 | 12 zero u32 | 16 covered u64 | 24 count u64 | 32 zero[24] |
//             56 checksum u64 over bytes 0..55 and all entries
// Entry:       0 digest[32] | 32 offset u64 | 40 owner u64 | 48 stored u32 | 52 raw u32 | 56 kind u8 | 57 encoding u8 |
// zero[6]
constexpr std::array<std::uint8_t, 8> kIndexMagic{'M', 'L', 'I', 'N', 'D', 'X', '1', '\n'};
constexpr std::size_t kIndexHeadBytes = 64;
constexpr std::size_t kIndexEntryBytes = 64;

crypto::Digest digest_at(const std::uint8_t* from) {
  std::array<std::uint8_t, 32> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return crypto::Digest(bytes);
}

// XXH3 of the payload, seeded with that of the head's fields.
std::uint64_t frame_checksum(ByteView head_fields, ByteView payload) {
  return xxh3_64(payload, xxh3_64(head_fields));
}

bool is_encoding(std::uint8_t byte) {
  return byte <= static_cast<std::uint8_t>(Encoding::kPlanes);
}

Failure index_damaged(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "index_damaged", "a pack's index is damaged: " + std::string(what));
}

}  // namespace

std::uint64_t PackEntry::frame_bytes() const {
  const std::uint64_t size = kFrameHeadBytes + std::uint64_t{stored_bytes};
  return (size + kFrameAlign - 1) / kFrameAlign * kFrameAlign;
}

std::array<std::uint8_t, kFrameHeadBytes> frame_head_bytes(const PackEntry& entry, ByteView payload) {
  std::array<std::uint8_t, kFrameHeadBytes> head{};
  std::memcpy(head.data(), kFrameMagic.data(), kFrameMagic.size());
  head[4] = static_cast<std::uint8_t>(entry.key.kind);
  head[5] = static_cast<std::uint8_t>(entry.encoding);
  store_le(head.data() + 8, entry.raw_bytes);
  store_le(head.data() + 12, entry.stored_bytes);
  std::memcpy(head.data() + 16, entry.key.digest.bytes().data(), 32);
  store_le(head.data() + 48, entry.owner);
  store_le(head.data() + kChecksumAt, frame_checksum(ByteView(head).first(kChecksumAt), payload));
  return head;
}

std::optional<PackEntry> parse_frame_head(ByteView head) {
  if (head.size() < kFrameHeadBytes || !std::equal(kFrameMagic.begin(), kFrameMagic.end(), head.begin())) return {};
  const auto kind = object_kind_of(head[4]);
  if (!kind || !is_encoding(head[5]) || head[6] != 0 || head[7] != 0) return {};
  PackEntry entry;
  entry.key = {*kind, digest_at(head.data() + 16)};
  entry.encoding = static_cast<Encoding>(head[5]);
  entry.raw_bytes = load_le<std::uint32_t>(head.data() + 8);
  entry.stored_bytes = load_le<std::uint32_t>(head.data() + 12);
  entry.owner = load_le<std::uint64_t>(head.data() + 48);
  if (entry.raw_bytes > kPayloadLimitBytes || entry.stored_bytes > kPayloadLimitBytes) return {};
  return entry;
}

bool check_frame(const PackEntry& entry, ByteView head, ByteView rest) {
  if (rest.size() < entry.stored_bytes) return false;
  const auto found = parse_frame_head(head);
  if (!found || found->key != entry.key || found->encoding != entry.encoding || found->raw_bytes != entry.raw_bytes ||
      found->stored_bytes != entry.stored_bytes || found->owner != entry.owner) {
    return false;
  }
  const auto payload = rest.first(entry.stored_bytes);
  if (load_le<std::uint64_t>(head.data() + kChecksumAt) != frame_checksum(head.first(kChecksumAt), payload)) {
    return false;
  }
  const auto padding = rest.first(std::min<std::uint64_t>(rest.size(), entry.frame_bytes() - kFrameHeadBytes))
                           .subspan(entry.stored_bytes);
  return std::all_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool check_frame(const PackEntry& entry, ByteView frame) {
  return frame.size() >= kFrameHeadBytes &&
         check_frame(entry, frame.first(kFrameHeadBytes), frame.subspan(kFrameHeadBytes));
}

std::array<std::uint8_t, kPackHeadBytes> pack_head_bytes(const PackHead& head) {
  std::array<std::uint8_t, kPackHeadBytes> bytes{};
  std::memcpy(bytes.data(), kPackMagic.data(), kPackMagic.size());
  store_le(bytes.data() + 8, head.pack_id);
  store_le(bytes.data() + 16, static_cast<std::uint64_t>(head.created_at_us));
  store_le(bytes.data() + kChecksumAt, xxh3_64(ByteView(bytes).first(kChecksumAt)));
  return bytes;
}

Result<PackHead> parse_pack_head(ByteView bytes) {
  const bool ok = bytes.size() >= kPackHeadBytes && std::equal(kPackMagic.begin(), kPackMagic.end(), bytes.begin()) &&
                  load_le<std::uint64_t>(bytes.data() + kChecksumAt) == xxh3_64(bytes.first(kChecksumAt));
  if (!ok) return fail(ErrorCode::kCorrupt, "pack_damaged", "a pack's head is damaged");
  return PackHead{load_le<std::uint32_t>(bytes.data() + 8),
                  static_cast<TimestampUs>(load_le<std::uint64_t>(bytes.data() + 16))};
}

std::string index_bytes(const PackIndex& index) {
  std::string out(kIndexHeadBytes + index.entries.size() * kIndexEntryBytes, '\0');
  auto* const bytes = reinterpret_cast<std::uint8_t*>(out.data());
  std::memcpy(bytes, kIndexMagic.data(), kIndexMagic.size());
  store_le(bytes + 8, index.pack_id);
  store_le(bytes + 16, index.covered_bytes);
  store_le(bytes + 24, std::uint64_t{index.entries.size()});
  auto* at = bytes + kIndexHeadBytes;
  for (const auto& entry : index.entries) {
    std::memcpy(at, entry.key.digest.bytes().data(), 32);
    store_le(at + 32, entry.offset);
    store_le(at + 40, entry.owner);
    store_le(at + 48, entry.stored_bytes);
    store_le(at + 52, entry.raw_bytes);
    at[56] = static_cast<std::uint8_t>(entry.key.kind);
    at[57] = static_cast<std::uint8_t>(entry.encoding);
    at += kIndexEntryBytes;
  }
  const auto all = as_bytes(out);
  store_le(bytes + kChecksumAt, frame_checksum(all.first(kChecksumAt), all.subspan(kIndexHeadBytes)));
  return out;
}

Result<PackIndex> parse_index(ByteView bytes) {
  if (bytes.size() < kIndexHeadBytes) return index_damaged("too short");
  if (!std::equal(kIndexMagic.begin(), kIndexMagic.end(), bytes.begin())) return index_damaged("not an index");
  const auto count = load_le<std::uint64_t>(bytes.data() + 24);
  const auto body = bytes.subspan(kIndexHeadBytes);
  if (body.size() % kIndexEntryBytes != 0 || body.size() / kIndexEntryBytes != count) return index_damaged("size");
  if (load_le<std::uint64_t>(bytes.data() + kChecksumAt) != frame_checksum(bytes.first(kChecksumAt), body)) {
    return index_damaged("checksum");
  }
  PackIndex index{load_le<std::uint32_t>(bytes.data() + 8), load_le<std::uint64_t>(bytes.data() + 16), {}};
  index.entries.reserve(count);
  for (const auto* at = body.data(); at != body.data() + body.size(); at += kIndexEntryBytes) {
    const auto kind = object_kind_of(at[56]);
    if (!kind || !is_encoding(at[57])) return index_damaged("entry");
    index.entries.push_back({{*kind, digest_at(at)},
                             static_cast<Encoding>(at[57]),
                             load_le<std::uint32_t>(at + 52),
                             load_le<std::uint32_t>(at + 48),
                             load_le<std::uint64_t>(at + 32),
                             load_le<std::uint64_t>(at + 40)});
  }
  return index;
}

}  // namespace mlops::cas
