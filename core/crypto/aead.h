// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a random nonce, and AES-SIV (RFC 5297), which gives
// equal ciphertexts for equal texts and needs none. What is sealed opens only with the same associated data.
//
// Errors: kRefused "cannot_open" for anything that does not open (another key, another place, changed bytes; which one
// is not told); kInvalid "bad_key_size"; kInternal "cipher_failed", "no_randomness".
// Thread-safety: free functions. A key may seal at most 2^32 texts with GCM (SP 800-38D, 8.3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

// nonce ‖ ciphertext ‖ tag. REQUIRES: a key of 32 bytes.
Result<std::vector<std::uint8_t>> gcm_seal(ByteView key, ByteView text, ByteView associated);
// With a chosen nonce, for test vectors: a nonce used twice with a key gives both texts away.
Result<std::vector<std::uint8_t>> gcm_seal_with(ByteView key, ByteView nonce, ByteView text, ByteView associated);
Result<std::vector<std::uint8_t>> gcm_open(ByteView key, ByteView sealed, ByteView associated);

// synthetic IV ‖ ciphertext. REQUIRES: a key of 32, 48 or 64 bytes (twice that of the AES it names); a text and
// associated strings that are not empty.
Result<std::vector<std::uint8_t>> siv_seal(ByteView key, ByteView text, std::span<const ByteView> associated);
Result<std::vector<std::uint8_t>> siv_open(ByteView key, ByteView sealed, std::span<const ByteView> associated);

}  // namespace mlops::crypto
