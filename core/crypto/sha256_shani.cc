// One to four messages through the SHA instructions of x86. One message leaves the unit idle most of the time: each of
// its 32 round steps a block waits for the one before. Messages beside it fill the gaps.
//
// A quad is four rounds of every lane. What the rounds of quad q need, message words plus round constants, was put into
// memory four quads earlier, so a lane holds three registers only: its state and the newest message words. Four lanes
// then fit into the sixteen registers. The last four quads of a block load the next one.
//
// The steps are short assembly because their order is the speed: left to the compiler, four lanes spill their states
// and are hardly faster than two (measured with g++ 12: 3.7 instead of 4.2 GB/s).
#if defined(__x86_64__)

#include <immintrin.h>

#include "core/crypto/sha256_lanes.h"

#define MLOPS_SHANI gnu::target("sha,sse4.1")

namespace mlops::crypto::lanes {
namespace {

constexpr std::size_t kQuads = 16;
constexpr std::size_t kLoadedQuads = 4;                         // their words are the block's own
constexpr std::size_t kScheduledQuads = kQuads - kLoadedQuads;  // the words of these follow from earlier ones

// What the instruction wants: the halves of a state are the words A B E F and C D G H, highest first.
struct Registers {
  __m128i abef, cdgh, newest;
};

[[MLOPS_SHANI, gnu::always_inline]] inline const __m128i& constants(std::size_t quad) {
  return reinterpret_cast<const __m128i*>(kRoundConstants.data())[quad];
}

[[MLOPS_SHANI, gnu::always_inline]] inline __m128i load_words(const std::uint8_t* block, std::size_t quad) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + quad), big_endian);
}

// Rounds 1 and 2 of a quad, from the lower half of `sums`.
[[MLOPS_SHANI, gnu::always_inline]] inline void first_rounds(Registers& lane, const __m128i& sums) {
  asm volatile(
      "movdqa %2, %%xmm0\n\t"
      "sha256rnds2 %%xmm0, %1, %0"
      : "+x"(lane.cdgh)
      : "x"(lane.abef), "m"(sums)
      : "xmm0");
}

// Rounds 3 and 4, from the upper half.
[[MLOPS_SHANI, gnu::always_inline]] inline void last_rounds(Registers& lane, const __m128i& sums) {
  asm volatile(
      "movq %H2, %%xmm0\n\t"
      "sha256rnds2 %%xmm0, %1, %0"
      : "+x"(lane.abef)
      : "x"(lane.cdgh), "o"(sums)
      : "xmm0");
}

// The message words of a quad from those of the four before: three in memory, the last in the register it then leaves.
[[MLOPS_SHANI, gnu::always_inline]] inline void schedule(Registers& lane, const __m128i& fourth, const __m128i& third,
                                                         const __m128i& second) {
  __m128i words, carried;
  asm volatile(
      "movdqa %2, %0\n\t"
      "sha256msg1 %3, %0\n\t"
      "movdqa %5, %1\n\t"
      "palignr $4, %4, %1\n\t"
      "paddd %1, %0\n\t"
      "sha256msg2 %5, %0"
      : "=&x"(words), "=&x"(carried)
      : "m"(fourth), "m"(third), "m"(second), "x"(lane.newest));
  lane.newest = words;
}

// The newest words, into the memory of the quad that is `quad` of this or the next block.
[[MLOPS_SHANI, gnu::always_inline]] inline void keep(const Registers& lane, std::size_t quad, __m128i& words,
                                                     __m128i& sums) {
  __m128i sum;
  asm volatile(
      "movdqa %3, %1\n\t"
      "movdqa %4, %0\n\t"
      "paddd %3, %0\n\t"
      "movdqa %0, %2"
      : "=&x"(sum), "=m"(words), "=m"(sums)
      : "x"(lane.newest), "m"(constants(quad)));
}

[[MLOPS_SHANI, gnu::always_inline]] inline void load_state(Registers& lane, const std::uint32_t* state) {
  const __m128i abcd = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state));
  const __m128i efgh = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state) + 1);
  const __m128i badc = _mm_shuffle_epi32(abcd, 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(efgh, 0x1b);
  lane.abef = _mm_alignr_epi8(badc, hgfe, 8);
  lane.cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
}

[[MLOPS_SHANI, gnu::always_inline]] inline void store_state(const Registers& lane, std::uint32_t* state) {
  const __m128i abef = _mm_shuffle_epi32(lane.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(abef, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state) + 1, _mm_alignr_epi8(dchg, abef, 8));
}

template <std::size_t kLanes>
struct Message {
  __m128i words[kQuads][kLanes];
  __m128i sums[kQuads][kLanes];  // words plus constants
};

template <std::size_t kLanes>
[[MLOPS_SHANI, gnu::always_inline]] inline void scheduled_quad(Registers (&lanes)[kLanes], Message<kLanes>& message,
                                                               std::size_t quad) {
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) first_rounds(lanes[i], message.sums[quad][i]);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) {
    schedule(lanes[i], message.words[quad][i], message.words[quad + 1][i], message.words[quad + 2][i]);
    last_rounds(lanes[i], message.sums[quad][i]);
    keep(lanes[i], quad + kLoadedQuads, message.words[quad + kLoadedQuads][i], message.sums[quad + kLoadedQuads][i]);
  }
}

template <std::size_t kLanes>
[[MLOPS_SHANI, gnu::always_inline]] inline void loading_quad(Registers (&lanes)[kLanes], Message<kLanes>& message,
                                                             const std::uint8_t* const (&next)[kLanes],
                                                             std::size_t quad) {
  const std::size_t of_next = quad - kScheduledQuads;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) first_rounds(lanes[i], message.sums[quad][i]);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i].newest = load_words(next[i], of_next);
    last_rounds(lanes[i], message.sums[quad][i]);
    keep(lanes[i], of_next, message.words[of_next][i], message.sums[of_next][i]);
  }
}

template <std::size_t kLanes>
[[MLOPS_SHANI, gnu::noinline]] void compress_lanes(std::uint32_t* states, LaneData data, std::size_t blocks) {
  Registers lanes[kLanes];
  __m128i before[kLanes][2];
  Message<kLanes> message;
  const std::uint8_t* next[kLanes];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) {
    next[i] = data[i];
    load_state(lanes[i], states + i * kStateWords);
#pragma GCC unroll 4
    for (std::size_t quad = 0; quad < kLoadedQuads; ++quad) {
      lanes[i].newest = load_words(next[i], quad);
      keep(lanes[i], quad, message.words[quad][i], message.sums[quad][i]);
    }
  }
  for (; blocks > 0; --blocks) {
    const std::size_t step = blocks > 1 ? kBlockBytes : 0;  // after the last one nothing may be read
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kLanes; ++i) {
      next[i] += step;
      before[i][0] = lanes[i].abef;
      before[i][1] = lanes[i].cdgh;
    }
#pragma GCC unroll 12
    for (std::size_t quad = 0; quad < kScheduledQuads; ++quad) scheduled_quad(lanes, message, quad);
#pragma GCC unroll 4
    for (std::size_t quad = kScheduledQuads; quad < kQuads; ++quad) loading_quad(lanes, message, next, quad);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i].abef = _mm_add_epi32(lanes[i].abef, before[i][0]);
      lanes[i].cdgh = _mm_add_epi32(lanes[i].cdgh, before[i][1]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; ++i) store_state(lanes[i], states + i * kStateWords);
}

void compress(std::uint32_t* states, LaneData data, std::size_t blocks) {
  if (blocks == 0) return;
  switch (data.size()) {
    case 4:
      return compress_lanes<4>(states, data, blocks);
    case 3:
      return compress_lanes<3>(states, data, blocks);
    case 2:
      return compress_lanes<2>(states, data, blocks);
    default:
      return compress_lanes<1>(states, data, blocks);
  }
}

}  // namespace

const Kernel& shani_kernel() {
  static constexpr Kernel kKernel{
      .width = 4, .worthwhile = 1, .word_stride = 1, .lane_stride = kStateWords, .compress = compress};
  return kKernel;
}

}  // namespace mlops::crypto::lanes

#endif
