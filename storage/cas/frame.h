// Bytes of a pack (docs/format/pack.md has the grammar):
//
//   pack  = header frame*           every frame begins at a multiple of 64
//   frame = head payload zeros      head: 64 bytes, little-endian, with a checksum over itself and the payload
//
// Thread-safety: pure functions and values. Errors: kCorrupt "frame_damaged".
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "storage/cas/codec.h"
#include "storage/cas/object.h"

namespace mlops::cas {

inline constexpr std::size_t kFrameAlign = 64;
inline constexpr std::size_t kFrameHeadBytes = 64;
inline constexpr std::size_t kPackHeadBytes = 64;
// Of one object: a chunk, a node of 256 entries and every record are smaller.
inline constexpr std::size_t kPayloadLimitBytes = 272u << 10;

// What is known of an object in a pack; the index file holds exactly these 64 bytes each.
struct PackEntry {
  ObjectKey key;
  Encoding encoding = Encoding::kRaw;
  std::uint32_t raw_bytes = 0;
  std::uint32_t stored_bytes = 0;
  std::uint64_t offset = 0;  // of the frame in its pack
  OwnerTag owner = kEveryone;

  // Of the whole frame with its padding.
  std::uint64_t frame_bytes() const;
};

std::array<std::uint8_t, kFrameHeadBytes> frame_head_bytes(const PackEntry& entry, ByteView payload);
// The entry of a head whose own fields make sense; the checksum is compared by check_frame. nullopt: no frame begins
// here.
std::optional<PackEntry> parse_frame_head(ByteView head);
// True when head and payload are those that were written, and the padding behind (as far as `frame` holds it) is zero.
bool check_frame(const PackEntry& entry, ByteView frame);
// The same of a head and of what follows it, which lie apart.
bool check_frame(const PackEntry& entry, ByteView head, ByteView rest);

struct PackHead {
  std::uint32_t pack_id = 0;
  TimestampUs created_at_us = 0;
};
std::array<std::uint8_t, kPackHeadBytes> pack_head_bytes(const PackHead& head);
Result<PackHead> parse_pack_head(ByteView bytes);

// The index file: entries sorted by offset, derived from its pack. `covered_bytes`: of the pack, everything before it
// is in the index or is nothing.
struct PackIndex {
  std::uint32_t pack_id = 0;
  std::uint64_t covered_bytes = 0;
  std::vector<PackEntry> entries;
};
std::string index_bytes(const PackIndex& index);
// Errors: kCorrupt "index_damaged".
Result<PackIndex> parse_index(ByteView bytes);

}  // namespace mlops::cas
