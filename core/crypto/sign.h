// Ed25519 signatures (RFC 8032): making a key, signing, verifying; PEM of private keys (PKCS #8, RFC 8410).
//
// Errors: kInvalid "bad_public_key", "bad_private_key"; kRefused "bad_signature" (of another key, or of other bytes);
// kInternal "sign_failed", "no_randomness". Thread-safety: free functions and values.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/seal.h"

namespace mlops::crypto {

inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

// The private half as its 32-byte seed, in memory that is locked and zeroed.
struct SigningKey {
  SecretBytes seed;
};

Result<SigningKey> make_signing_key();
Result<SigningKey> signing_key_from_pem(std::string_view pem);
Result<SecretBytes> to_pem(const SigningKey& key);

// Raw 32 bytes as base64. A PEM SubjectPublicKeyInfo, an OpenSSH line (`ssh-ed25519 AAAA…`) or the base64 itself is
// read.
Result<std::string> public_key_of(const SigningKey& key);
Result<std::string> parse_public_key(std::string_view text);
// "ed25519:" and 32 hex digits of the SHA-256 of the raw key: how a key is named to people.
Result<std::string> key_id_of(std::string_view public_key_base64);

// Base64 of the 64 bytes.
Result<std::string> sign(const SigningKey& key, std::string_view message);
Status verify_signature(std::string_view public_key_base64, std::string_view message,
                        std::string_view signature_base64);

}  // namespace mlops::crypto
