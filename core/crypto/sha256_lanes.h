// Internal to core/crypto: the compression function of SHA-256 (FIPS 180-4, 6.2.2) over several independent messages at
// once, one kernel an instruction set. Whoever calls a kernel has asked the processor whether it can run it.
//
// Thread-safety: kernels are pure functions of what they are given. Ownership: all memory is the caller's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mlops::crypto {

enum class Sha256Engine;

namespace lanes {

inline constexpr std::size_t kMaxLanes = 16;
inline constexpr std::size_t kBlockBytes = 64;
inline constexpr std::size_t kStateWords = 8;

using State = std::array<std::uint32_t, kStateWords>;

// FIPS 180-4, 5.3.3.
inline constexpr State kInitialState = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-4, 4.2.2.
alignas(64) inline constexpr std::array<std::uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// One pointer a lane, each to as many blocks as the call says.
using LaneData = std::span<const std::uint8_t* const>;

struct Kernel {
  std::size_t width;        // most lanes of a call
  std::size_t worthwhile;   // fewer lanes than this are faster one after the other
  std::size_t word_stride;  // word w of lane l is states[w * word_stride + l * lane_stride]
  std::size_t lane_stride;
  void (*compress)(std::uint32_t* states, LaneData data, std::size_t blocks);
  // In one go what HMAC (RFC 2104) does after the blocks of its key: from the state `inner` over one block a lane, then
  // from `outer` over the digests of these, padded. Each lane's MAC goes where its pointer of `macs` leads. nullptr: it
  // gains nothing.
  void (*hmac)(std::uint8_t* const* macs, LaneData data, const State& inner, const State& outer) = nullptr;
};

// Lanes one after the other, through OpenSSL's own choice of instructions.
const Kernel& openssl_kernel();
#if defined(__x86_64__)
const Kernel& shani_kernel();   // needs SHA-NI and SSE4.1
const Kernel& avx2_kernel();    // needs AVX2
const Kernel& avx512_kernel();  // needs AVX-512 F and BW
#endif

// REQUIRES: the engine is one of sha256_engines().
const Kernel& kernel_of(Sha256Engine engine);

}  // namespace lanes
}  // namespace mlops::crypto
