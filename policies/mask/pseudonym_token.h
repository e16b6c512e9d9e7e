// Keyed pseudonyms that can be told from any other text, so that a second run leaves them alone, also after the key was
// rotated.
//
//   tagged  "k" VERSION "-" 32 hex digits of the MAC, 8 hex digits of check
//   UUID    of version 8 (RFC 9562): 90 bits of the MAC, 32 bits of check
//
// The check is AES of the MAC's bytes under a key of its own; other text passes for a pseudonym once in 2^32.
// Errors: kInternal "cipher_failed". Thread-safety: free functions. REQUIRES: keys that are not empty.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/crypto/aes_block.h"
#include "policies/mask/key.h"

namespace mlops::mask {

inline constexpr std::size_t kTokenBodyBytes = crypto::kAesBlockBytes;
inline constexpr std::size_t kTokenCheckBytes = 4;

void append_hex(std::string& out, ByteView bytes);

Status append_token(const WorkingKey& key, std::string_view value, std::string& out);
Result<std::string> make_token(const WorkingKey& key, std::string_view value);
// False: is_own_token() is, whatever the key.
inline bool may_be_token(std::string_view text) {
  return text.starts_with('k');
}
// Of the key or one of its former versions?
Result<bool> is_own_token(const ColumnKey& key, std::string_view text);

// 8-4-4-4-12 hex digits, in any case.
bool is_uuid(std::string_view text);
Result<std::string> make_uuid(const WorkingKey& key, std::string_view value);
// REQUIRES: is_uuid(text), in lower case.
Result<bool> is_own_uuid(const ColumnKey& key, std::string_view text);

}  // namespace mlops::mask
