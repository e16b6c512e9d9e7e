// Eight messages in the lanes of AVX2 vectors.
#if defined(__x86_64__)

#include <immintrin.h>

#define MLOPS_VECTOR_TARGET gnu::target("avx2")

#include "core/crypto/sha256_lanes.h"
#include "core/crypto/sha256_padding.h"
#include "core/crypto/sha256_vector.h"

namespace mlops::crypto::lanes {
namespace {

struct Avx2 {
  using Vector = __m256i;
  static constexpr std::size_t kLanes = 8;

  [[MLOPS_VECTOR_INLINE]] static Vector load(const std::uint32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const Vector*>(from));
  }
  [[MLOPS_VECTOR_INLINE]] static void store(std::uint32_t* to, Vector x) {
    _mm256_storeu_si256(reinterpret_cast<Vector*>(to), x);
  }
  [[MLOPS_VECTOR_INLINE]] static Vector broadcast(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
  [[MLOPS_VECTOR_INLINE]] static Vector add(Vector x, Vector y) { return _mm256_add_epi32(x, y); }
  [[MLOPS_VECTOR_INLINE]] static Vector xor3(Vector x, Vector y, Vector z) {
    return _mm256_xor_si256(_mm256_xor_si256(x, y), z);
  }
  [[MLOPS_VECTOR_INLINE]] static Vector choose(Vector x, Vector y, Vector z) {
    return _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)));
  }
  [[MLOPS_VECTOR_INLINE]] static Vector majority(Vector x, Vector y, Vector z) {
    return _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)));
  }
  template <int kBits>
  [[MLOPS_VECTOR_INLINE]] static Vector rotate(Vector x) {
    return _mm256_or_si256(_mm256_srli_epi32(x, kBits), _mm256_slli_epi32(x, 32 - kBits));
  }
  template <int kBits>
  [[MLOPS_VECTOR_INLINE]] static Vector shift(Vector x) {
    return _mm256_srli_epi32(x, kBits);
  }

  // The 16 words of 8 blocks, transposed: lane l of words[t] is word t of blocks[l].
  [[MLOPS_VECTOR_INLINE]] static void load_words(Vector (&words)[kWords], const std::uint8_t* const (&blocks)[kLanes]);
  // Lane l of the state, big-endian, to digests[l].
  [[MLOPS_VECTOR_INLINE]] static void store_digests(const Vector (&state)[kStateWords],
                                                    std::span<std::uint8_t* const> digests) {
    std::uint32_t words[kStateWords * kLanes];
    for (std::size_t i = 0; i < kStateWords; ++i) store(words + i * kLanes, state[i]);
    for (std::size_t lane = 0; lane < digests.size(); ++lane) {
      for (std::size_t i = 0; i < kStateWords; ++i) put_word(digests[lane] + 4 * i, words[i * kLanes + lane]);
    }
  }
};

// Half a block of every lane: 8 × 8 words change places.
[[MLOPS_VECTOR_INLINE]] inline void load_half(__m256i* words, const std::uint8_t* const (&blocks)[Avx2::kLanes],
                                              std::size_t half) {
  const __m256i big_endian = _mm256_broadcastsi128_si256(_mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
  __m256i rows[8];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    const __m256i row = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(blocks[i]) + half);
    rows[i] = _mm256_shuffle_epi8(row, big_endian);
  }
#pragma GCC unroll 2
  for (std::size_t i = 0; i < 8; i += 4) {
    const __m256i a = _mm256_unpacklo_epi32(rows[i], rows[i + 1]), b = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
    const __m256i c = _mm256_unpacklo_epi32(rows[i + 2], rows[i + 3]);
    const __m256i d = _mm256_unpackhi_epi32(rows[i + 2], rows[i + 3]);
    rows[i] = _mm256_unpacklo_epi64(a, c);
    rows[i + 1] = _mm256_unpackhi_epi64(a, c);
    rows[i + 2] = _mm256_unpacklo_epi64(b, d);
    rows[i + 3] = _mm256_unpackhi_epi64(b, d);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    words[i] = _mm256_permute2x128_si256(rows[i], rows[4 + i], 0x20);
    words[4 + i] = _mm256_permute2x128_si256(rows[i], rows[4 + i], 0x31);
  }
}

inline void Avx2::load_words(Vector (&words)[kWords], const std::uint8_t* const (&blocks)[kLanes]) {
  load_half(words, blocks, 0);
  load_half(words + 8, blocks, 1);
}

}  // namespace

const Kernel& avx2_kernel() {
  static constexpr Kernel kKernel{.width = Avx2::kLanes,
                                  .worthwhile = 4,
                                  .word_stride = Avx2::kLanes,
                                  .lane_stride = 1,
                                  .compress = compress_vectors<Avx2>,
                                  .hmac = hmac_vectors<Avx2>};
  return kKernel;
}

}  // namespace mlops::crypto::lanes

#endif
