// Signatures of Standard Webhooks: "v1," and the base64 of HMAC-SHA-256 over "id.timestamp.body", one for each secret
// that is in force. A secret is written "whsec_" and the base64 of its bytes. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/seal.h"

namespace mlops::events {

inline constexpr std::size_t kSecretBytes = 32;

std::string secret_text(const crypto::SecretBytes& secret);
// The value of webhook-signature: one signature a secret, separated by spaces.
std::string signature_of(const std::vector<crypto::SecretBytes>& secrets, std::string_view id, std::int64_t timestamp_s,
                         std::string_view body);

}  // namespace mlops::events
