// Private to policies/mask: bytes as lower-case hexadecimal digits, written in place. Thread-safety: free functions.
#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include "core/base/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mlops::mask {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";
// Both digits of every byte.
inline constexpr auto kHexPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) pairs[byte] = {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  return pairs;
}();
inline constexpr std::size_t kHexStep = 16;

// The digits of kHexStep bytes.
#if defined(__SSE2__)
inline char* write_hex_step(char* to, const std::uint8_t* bytes) {
  const auto low_half = _mm_set1_epi8(0x0f), zeros = _mm_set1_epi8('0');
  const auto nine = _mm_set1_epi8(9), to_letters = _mm_set1_epi8('a' - '9' - 1);
  const auto digits = [&](__m128i values) {
    return _mm_add_epi8(_mm_add_epi8(values, zeros), _mm_and_si128(_mm_cmpgt_epi8(values, nine), to_letters));
  };
  const auto all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const auto high = digits(_mm_and_si128(_mm_srli_epi16(all, 4), low_half)), low = digits(_mm_and_si128(all, low_half));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi8(high, low));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + kHexStep), _mm_unpackhi_epi8(high, low));
  return to + 2 * kHexStep;
}
#else
inline char* write_hex_step(char* to, const std::uint8_t* bytes) {
  for (std::size_t i = 0; i < kHexStep; ++i, to += 2) std::memcpy(to, kHexPairs[bytes[i]].data(), 2);
  return to;
}
#endif

// The digits of the first `count` of kHexStep bytes, into room for those of all; returns where they end.
inline char* write_hex_of(char* to, const std::uint8_t* bytes, std::size_t count) {
  write_hex_step(to, bytes);
  return to + 2 * count;
}

// Into room for two characters a byte; returns where they end.
inline char* write_hex(char* to, ByteView bytes) {
  for (; bytes.size() >= kHexStep; bytes = bytes.subspan(kHexStep)) to = write_hex_step(to, bytes.data());
  for (const auto byte : bytes) {
    std::memcpy(to, kHexPairs[byte].data(), 2);
    to += 2;
  }
  return to;
}

}  // namespace mlops::mask
