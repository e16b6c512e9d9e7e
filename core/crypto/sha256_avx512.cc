// Sixteen messages in the lanes of AVX-512 vectors.
#if defined(__x86_64__)

// Some of its functions begin with a value that means nothing, which a compiler that inlines them calls a mistake.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#define MLOPS_VECTOR_TARGET gnu::target("avx512f,avx512bw")

#include "core/crypto/sha256_lanes.h"
#include "core/crypto/sha256_vector.h"

namespace mlops::crypto::lanes {
namespace {

struct Avx512 {
  using Vector = __m512i;
  static constexpr std::size_t kLanes = 16;

  // The truth tables of _mm512_ternarylogic_epi32: bit (x * 4 + y * 2 + z) is the result.
  static constexpr int kXor3 = 0x96, kChoose = 0xca, kMajority = 0xe8;

  [[MLOPS_VECTOR_INLINE]] static Vector load(const std::uint32_t* from) { return _mm512_loadu_si512(from); }
  [[MLOPS_VECTOR_INLINE]] static void store(std::uint32_t* to, Vector x) { _mm512_storeu_si512(to, x); }
  [[MLOPS_VECTOR_INLINE]] static Vector broadcast(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
  [[MLOPS_VECTOR_INLINE]] static Vector add(Vector x, Vector y) { return _mm512_add_epi32(x, y); }
  [[MLOPS_VECTOR_INLINE]] static Vector xor3(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi32(x, y, z, kXor3);
  }
  [[MLOPS_VECTOR_INLINE]] static Vector choose(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi32(x, y, z, kChoose);
  }
  [[MLOPS_VECTOR_INLINE]] static Vector majority(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi32(x, y, z, kMajority);
  }
  template <int kBits>
  [[MLOPS_VECTOR_INLINE]] static Vector rotate(Vector x) {
    return _mm512_ror_epi32(x, kBits);
  }
  template <int kBits>
  [[MLOPS_VECTOR_INLINE]] static Vector shift(Vector x) {
    return _mm512_srli_epi32(x, kBits);
  }

  // The 16 words of 16 blocks, transposed: lane l of words[t] is word t of blocks[l].
  [[MLOPS_VECTOR_INLINE]] static void load_words(Vector (&words)[kWords], const std::uint8_t* const (&blocks)[kLanes]);
  // Lane l of the state, big-endian, to digests[l].
  [[MLOPS_VECTOR_INLINE]] static void store_digests(Vector (&state)[kStateWords],
                                                    std::span<std::uint8_t* const> digests);
};

// Four rows of four 128-bit quarters: in each quarter, the 4 × 4 words change places.
[[MLOPS_VECTOR_INLINE]] inline void transpose_quarters(__m512i* rows) {
  const __m512i a = _mm512_unpacklo_epi32(rows[0], rows[1]), b = _mm512_unpackhi_epi32(rows[0], rows[1]);
  const __m512i c = _mm512_unpacklo_epi32(rows[2], rows[3]), d = _mm512_unpackhi_epi32(rows[2], rows[3]);
  rows[0] = _mm512_unpacklo_epi64(a, c);
  rows[1] = _mm512_unpackhi_epi64(a, c);
  rows[2] = _mm512_unpacklo_epi64(b, d);
  rows[3] = _mm512_unpackhi_epi64(b, d);
}

inline void Avx512::load_words(Vector (&words)[kWords], const std::uint8_t* const (&blocks)[kLanes]) {
  constexpr int kEven = 0x88, kOdd = 0xdd;  // quarters 0 and 2, or 1 and 3, of both operands
  const Vector big_endian = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
  Vector rows[kLanes];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kLanes; ++i) rows[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(blocks[i]), big_endian);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kLanes; i += 4) transpose_quarters(rows + i);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    const Vector even_low = _mm512_shuffle_i32x4(rows[i], rows[4 + i], kEven);
    const Vector even_high = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], kEven);
    const Vector odd_low = _mm512_shuffle_i32x4(rows[i], rows[4 + i], kOdd);
    const Vector odd_high = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], kOdd);
    words[i] = _mm512_shuffle_i32x4(even_low, even_high, kEven);
    words[4 + i] = _mm512_shuffle_i32x4(odd_low, odd_high, kEven);
    words[8 + i] = _mm512_shuffle_i32x4(even_low, even_high, kOdd);
    words[12 + i] = _mm512_shuffle_i32x4(odd_low, odd_high, kOdd);
  }
}

// Quarter q of the vector to the first of four lanes of which q is one.
template <int kQuarter>
[[MLOPS_VECTOR_INLINE]] inline void store_quarter(__m512i vector, std::uint8_t* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_extracti32x4_epi32(vector, kQuarter));
}

inline void Avx512::store_digests(Vector (&state)[kStateWords], std::span<std::uint8_t* const> digests) {
  constexpr std::size_t kHalf = 16;
  const Vector big_endian = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
#pragma GCC unroll 8
  for (auto& words : state) words = _mm512_shuffle_epi8(words, big_endian);
  transpose_quarters(state);
  transpose_quarters(state + 4);
  alignas(64) std::uint8_t idle[2 * kHalf];
  std::uint8_t* to[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) to[i] = i < digests.size() ? digests[i] : idle;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const Vector words = state[4 * half + i];
      store_quarter<0>(words, to[i] + half * kHalf);
      store_quarter<1>(words, to[4 + i] + half * kHalf);
      store_quarter<2>(words, to[8 + i] + half * kHalf);
      store_quarter<3>(words, to[12 + i] + half * kHalf);
    }
  }
}

}  // namespace

const Kernel& avx512_kernel() {
  static constexpr Kernel kKernel{.width = Avx512::kLanes,
                                  .worthwhile = 3,
                                  .word_stride = Avx512::kLanes,
                                  .lane_stride = 1,
                                  .compress = compress_vectors<Avx512>,
                                  .hmac = hmac_vectors<Avx512>};
  return kKernel;
}

}  // namespace mlops::crypto::lanes

#endif
