// The rule of format version 1, which docs/format/pack.md repeats. All arithmetic is modulo 2^64.
//
//   table[b]   the (b + 1)-th output of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) seeded with kTableSeed
//   h(n)       sum over k = 0 … 63 of table[byte at n - 1 - k] << k: the gear hash after n bytes of the chunk, which
//              looks at the last 64 of them only
//   cut        the smallest n >= 16 KiB with h(n) < 2^47 if n < 40 KiB, or h(n) < 2^49 from there on;
//              never more than 256 KiB; the end of the file ends a chunk
//
// "Below a power of two" is a mask of the 17 or 15 highest bits, those that depend on most bytes, in one comparison.
// One bit more and one bit less than the 16 of the target (normalisation level 1) and a switch at 40 KiB were chosen by
// simulating edits: the mean is 64 KiB, and a rewritten region costs 95 KiB beyond itself, where level 2 with the same
// mean costs 128 KiB, because chunks of nearly equal size fall back into step with their old cuts later.
#include "storage/cas/chunker.h"

#include <algorithm>
#include <array>

namespace mlops::cas {
namespace {

constexpr std::uint64_t kTableSeed = 0x6d6c6f7073646564;  // "mlopsded"
constexpr std::size_t kHashWindow = 64;
constexpr std::size_t kSwitchBytes = 40u << 10;
constexpr std::uint64_t kBelowBefore = std::uint64_t{1} << (64 - 17);
constexpr std::uint64_t kBelowAfter = std::uint64_t{1} << (64 - 15);

constexpr std::array<std::uint64_t, 256> make_table() {
  std::array<std::uint64_t, 256> table{};
  std::uint64_t state = kTableSeed;
  for (std::uint64_t& entry : table) {
    state += 0x9e3779b97f4a7c15;
    entry = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    entry = (entry ^ (entry >> 27)) * 0x94d049bb133111eb;
    entry ^= entry >> 31;
  }
  return table;
}
constexpr std::array<std::uint64_t, 256> kTable = make_table();

// The hash of a run of one byte is minus its entry; no run may cut at every opportunity, or holes and padding would
// become the smallest chunks instead of the largest.
constexpr bool runs_never_cut() {
  return std::ranges::all_of(kTable, [](std::uint64_t entry) { return 0 - entry >= kBelowAfter; });
}
static_assert(runs_never_cut());

// Lengths first … last are candidates; `hash` is that of first - 1 bytes and becomes that of the answer, or of `last`.
// The answer is the first candidate whose hash is below `below`, 0 if there is none. Unrolled by hand: the loop is
// bound by the chain of hashes, one cycle a byte, and everything else must fit beside it.
std::size_t find_cut(const std::uint8_t* bytes, std::size_t first, std::size_t last, std::uint64_t below,
                     std::uint64_t& hash) {
  std::uint64_t h = hash;
  std::size_t length = first;
  const auto step = [&](std::size_t offset) {
    h = (h << 1) + kTable[bytes[length - 1 + offset]];
    return h < below;
  };
  for (; length + 8 <= last + 1; length += 8) {
    if (step(0)) [[unlikely]]
      return length;
    if (step(1)) [[unlikely]]
      return length + 1;
    if (step(2)) [[unlikely]]
      return length + 2;
    if (step(3)) [[unlikely]]
      return length + 3;
    if (step(4)) [[unlikely]]
      return length + 4;
    if (step(5)) [[unlikely]]
      return length + 5;
    if (step(6)) [[unlikely]]
      return length + 6;
    if (step(7)) [[unlikely]]
      return length + 7;
  }
  for (; length <= last; ++length) {
    if (step(0)) return length;
  }
  hash = h;
  return 0;
}

}  // namespace

std::size_t cut_chunk(ByteView bytes) {
  const std::size_t size = std::min(bytes.size(), kChunkMaxBytes);
  if (size <= kChunkMinBytes) return size;
  std::uint64_t hash = 0;
  for (std::size_t i = kChunkMinBytes - kHashWindow; i + 1 < kChunkMinBytes; ++i) hash = (hash << 1) + kTable[bytes[i]];
  const std::size_t before = std::min(size, kSwitchBytes - 1);
  if (const std::size_t cut = find_cut(bytes.data(), kChunkMinBytes, before, kBelowBefore, hash)) return cut;
  const std::size_t after = find_cut(bytes.data(), before + 1, size, kBelowAfter, hash);
  return after != 0 ? after : size;
}

}  // namespace mlops::cas
