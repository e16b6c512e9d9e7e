// A plane is made by halving: the even and the odd bytes of a stream of elements are two streams of elements of half
// the width, down to single bytes; merging goes the same way back. SSE2, which every x86-64 has, does 16 elements a
// step; what remains, and every other machine, goes byte by byte.
#include "storage/cas/planes.h"

#include "storage/cas/little_endian.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mlops::cas {
namespace {

#ifdef __SSE2__
constexpr std::size_t kStep = 16;

template <std::size_t kWidth>
struct Block {  // not std::array: its template argument would lose the attributes of __m128i
  __m128i part[kWidth];
};

template <std::size_t kWidth, std::size_t kFirst = 0, std::size_t kStride = 1>
inline void split_block(const Block<kWidth>& block, const PlaneTargets& targets, std::size_t at) {
  if constexpr (kWidth == 1) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(targets[kFirst] + at), block.part[0]);
  } else {
    const __m128i low = _mm_set1_epi16(0xff);
    Block<kWidth / 2> even;
    Block<kWidth / 2> odd;
    for (std::size_t i = 0; i < kWidth / 2; ++i) {
      const __m128i a = block.part[2 * i];
      const __m128i b = block.part[2 * i + 1];
      even.part[i] = _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low));
      odd.part[i] = _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8));
    }
    split_block<kWidth / 2, kFirst, kStride * 2>(even, targets, at);
    split_block<kWidth / 2, kFirst + kStride, kStride * 2>(odd, targets, at);
  }
}

template <std::size_t kWidth, std::size_t kFirst = 0, std::size_t kStride = 1>
inline Block<kWidth> merge_block(const PlaneSources& sources, std::size_t at) {
  if constexpr (kWidth == 1) {
    return {{_mm_loadu_si128(reinterpret_cast<const __m128i*>(sources[kFirst] + at))}};
  } else {
    const auto even = merge_block<kWidth / 2, kFirst, kStride * 2>(sources, at);
    const auto odd = merge_block<kWidth / 2, kFirst + kStride, kStride * 2>(sources, at);
    Block<kWidth> block;
    for (std::size_t i = 0; i < kWidth / 2; ++i) {
      block.part[2 * i] = _mm_unpacklo_epi8(even.part[i], odd.part[i]);
      block.part[2 * i + 1] = _mm_unpackhi_epi8(even.part[i], odd.part[i]);
    }
    return block;
  }
}

// Both return the number of elements done, a multiple of kStep.
template <std::size_t kWidth>
std::size_t split_blocks(ByteView raw, const PlaneTargets& targets) {
  const std::size_t end = raw.size() / kWidth / kStep * kStep;
  for (std::size_t at = 0; at < end; at += kStep) {
    Block<kWidth> block;
    const auto* from = reinterpret_cast<const __m128i*>(raw.data() + at * kWidth);
    for (std::size_t i = 0; i < kWidth; ++i) block.part[i] = _mm_loadu_si128(from + i);
    split_block<kWidth>(block, targets, at);
  }
  return end;
}

template <std::size_t kWidth>
std::size_t merge_blocks(const PlaneSources& sources, std::span<std::uint8_t> raw) {
  const std::size_t end = raw.size() / kWidth / kStep * kStep;
  for (std::size_t at = 0; at < end; at += kStep) {
    const Block<kWidth> block = merge_block<kWidth>(sources, at);
    auto* to = reinterpret_cast<__m128i*>(raw.data() + at * kWidth);
    for (std::size_t i = 0; i < kWidth; ++i) _mm_storeu_si128(to + i, block.part[i]);
  }
  return end;
}
#else
template <std::size_t>
std::size_t split_blocks(ByteView, const PlaneTargets&) {
  return 0;
}
template <std::size_t>
std::size_t merge_blocks(const PlaneSources&, std::span<std::uint8_t>) {
  return 0;
}
#endif

template <std::size_t kWidth>
void split(ByteView raw, const PlaneTargets& targets) {
  for (std::size_t at = split_blocks<kWidth>(raw, targets); at < raw.size() / kWidth; ++at) {
    for (std::size_t plane = 0; plane < kWidth; ++plane) targets[plane][at] = raw[at * kWidth + plane];
  }
}

template <std::size_t kWidth>
void merge(const PlaneSources& sources, std::span<std::uint8_t> raw) {
  for (std::size_t at = merge_blocks<kWidth>(sources, raw); at < raw.size() / kWidth; ++at) {
    for (std::size_t plane = 0; plane < kWidth; ++plane) raw[at * kWidth + plane] = sources[plane][at];
  }
}

}  // namespace

void split_planes(ByteView raw, std::size_t width, const PlaneTargets& targets) {
  if (width == 2) return split<2>(raw, targets);
  if (width == 4) return split<4>(raw, targets);
  split<8>(raw, targets);
}

void merge_planes(const PlaneSources& sources, std::size_t width, std::span<std::uint8_t> raw) {
  if (width == 2) return merge<2>(sources, raw);
  if (width == 4) return merge<4>(sources, raw);
  merge<8>(sources, raw);
}

PlanePayload parse_planes(ByteView payload, std::size_t raw_bytes) {
  PlanePayload result;
  const std::size_t width = payload.empty() ? 0 : payload[0];
  if (!is_plane_width(width) || payload.size() < plane_heads_bytes(width)) return {};
  ByteView rest = payload.subspan(plane_heads_bytes(width));
  for (std::size_t plane = 0; plane < width; ++plane) {
    const std::uint8_t* head = payload.data() + plane_heads_bytes(plane);
    const std::size_t stored = load_le<std::uint32_t>(head + 1);
    if (head[0] > static_cast<std::uint8_t>(PlaneMethod::kZstd) || stored > rest.size()) return {};
    const auto method = static_cast<PlaneMethod>(head[0]);
    if (method == PlaneMethod::kRaw && stored != raw_bytes / width) return {};
    result.planes[plane] = {method, rest.first(stored)};
    rest = rest.subspan(stored);
  }
  if (rest.size() != raw_bytes % width) return {};
  result.tail = rest;
  result.width = width;
  return result;
}

void write_plane_heads(std::size_t width, const std::array<StoredPlane, kMaxPlanes>& planes, std::uint8_t* payload) {
  payload[0] = static_cast<std::uint8_t>(width);
  for (std::size_t plane = 0; plane < width; ++plane) {
    std::uint8_t* head = payload + plane_heads_bytes(plane);
    head[0] = static_cast<std::uint8_t>(planes[plane].method);
    store_le(head + 1, static_cast<std::uint32_t>(planes[plane].bytes.size()));
  }
}

}  // namespace mlops::cas
