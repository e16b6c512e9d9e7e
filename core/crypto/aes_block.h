// AES-256 of single blocks: a keyed permutation of 16 bytes, for short checks of fixed-length strings. Not a way to
// encrypt anything longer. Errors: kInvalid "bad_key_size"; kInternal "cipher_failed". Thread-safety: free function.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

inline constexpr std::size_t kAesBlockBytes = 16;

// Each block in its place. REQUIRES: a key of 32 bytes; whole blocks.
Status aes_blocks(ByteView key, std::span<std::uint8_t> blocks);

}  // namespace mlops::crypto
