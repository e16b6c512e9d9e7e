// Byte planes: the bytes of a chunk sorted by their place in elements of 2, 4 or 8 bytes. In arrays of floating-point
// numbers one plane holds most of sign and exponent, which are skewed, and the others mantissa bits, which are noise;
// apart they can be treated as what they are. Elements are counted from the start of the chunk, wherever the numbers
// themselves begin: cuts fall between any two bytes, so the skewed plane may be any of them.
//
// A chunk stored as Encoding::kPlanes (n: its size, known from outside; integers little-endian):
//
//   payload  = width head{width} plane{width} tail
//   width    = u8: 2, 4 or 8
//   head     = method:u8 stored_size:u32      of plane 0, 1, …
//   method   = 0 (the plane as it is) | 1 (one zstd frame of the form in zstd_frame.h)
//   plane    = stored_size bytes              plane p is the bytes p, p + width, p + 2 width … of the chunk without its
//                                             tail, floor(n / width) of them; method 0: stored_size is that number
//   tail     = the last n mod width bytes of the chunk, as they are
//
// Nothing follows the tail.
//
// Thread-safety: pure functions and values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"

namespace mlops::cas {

inline constexpr std::size_t kMaxPlanes = 8;
inline constexpr std::size_t kPlaneHeadBytes = 5;

constexpr bool is_plane_width(std::size_t width) {
  return width == 2 || width == 4 || width == 8;
}
constexpr std::size_t plane_heads_bytes(std::size_t width) {
  return 1 + width * kPlaneHeadBytes;
}

using PlaneTargets = std::array<std::uint8_t*, kMaxPlanes>;
using PlaneSources = std::array<const std::uint8_t*, kMaxPlanes>;

// Writes plane p of the raw.size() / width whole elements to targets[p]; the tail is left to the caller.
// REQUIRES: is_plane_width(width); no target overlaps another or `raw`.
void split_planes(ByteView raw, std::size_t width, const PlaneTargets& targets);
// The reverse; leaves the tail of `raw` alone.
void merge_planes(const PlaneSources& sources, std::size_t width, std::span<std::uint8_t> raw);

enum class PlaneMethod : std::uint8_t { kRaw = 0, kZstd = 1 };

struct StoredPlane {
  PlaneMethod method = PlaneMethod::kRaw;
  ByteView bytes;
};

// A plane payload taken apart; the views are of the payload.
struct PlanePayload {
  std::size_t width = 0;  // 0: not a payload of a chunk of that size
  std::array<StoredPlane, kMaxPlanes> planes;
  ByteView tail;
};

PlanePayload parse_planes(ByteView payload, std::size_t raw_bytes);
// Writes width and heads, which say of every plane what is given, to the front of a payload.
// REQUIRES: plane_heads_bytes(width) bytes of space.
void write_plane_heads(std::size_t width, const std::array<StoredPlane, kMaxPlanes>& planes, std::uint8_t* payload);

}  // namespace mlops::cas
