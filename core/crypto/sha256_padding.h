// Internal to core/crypto: how SHA-256 ends a message (FIPS 180-4, 5.1.1). Thread-safety: values and free functions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/crypto/sha256_lanes.h"

namespace mlops::crypto::lanes {

// Big-endian. Not a loop: compilers make one instruction of this.
inline void put_word(std::uint8_t* to, std::uint32_t word) {
  to[0] = static_cast<std::uint8_t>(word >> 24);
  to[1] = static_cast<std::uint8_t>(word >> 16);
  to[2] = static_cast<std::uint8_t>(word >> 8);
  to[3] = static_cast<std::uint8_t>(word);
}

// The end of a message as FIPS 180-4, 5.1.1 pads it: what is left of a block, a one bit, zeros, the length in bits.
class Tail {
 public:
  // `rest` are the bytes after the last full block of a message of `size_bytes`. Returns the number of blocks, 1 or 2.
  std::size_t fill(ByteView rest, std::uint64_t size_bytes) {
    const std::size_t blocks = rest.size() + 1 + sizeof(std::uint64_t) <= kBlockBytes ? 1 : 2;
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(blocks * kBlockBytes);
    auto at = std::copy(rest.begin(), rest.end(), bytes_.begin());
    *at++ = 0x80;
    std::fill(at, end, std::uint8_t{0});
    put_word(&*(end - 8), static_cast<std::uint32_t>(size_bytes >> 29));  // the length is in bits
    put_word(&*(end - 4), static_cast<std::uint32_t>(size_bytes << 3));
    return blocks;
  }
  // The same of a rest that fits into one block, which most short messages are.
  void fill_one_block(ByteView rest, std::uint64_t size_bytes) {
    std::fill_n(bytes_.begin(), kBlockBytes, std::uint8_t{0});
    std::copy(rest.begin(), rest.end(), bytes_.begin());
    bytes_[rest.size()] = 0x80;
    put_word(&bytes_[kBlockBytes - 8], static_cast<std::uint32_t>(size_bytes >> 29));
    put_word(&bytes_[kBlockBytes - 4], static_cast<std::uint32_t>(size_bytes << 3));
  }
  const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::array<std::uint8_t, 2 * kBlockBytes> bytes_;
};

}  // namespace mlops::crypto::lanes
