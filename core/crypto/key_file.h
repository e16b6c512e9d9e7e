// A master key in a file of mode 0600 with at least 32 random bytes, as hex digits or raw.
//
// Keys of a policy's key names are derived from it, so that two names never share one.
// Errors: kInvalid "key_file_exposed" (others can read it), "key_too_short", "key_weak"; kAlreadyExists "file_exists";
// those of files. Thread-safety: pure but for the file system.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/seal.h"

namespace mlops::crypto {

Result<SecretBytes> read_key_file(const std::string& path);
// 32 random bytes as hex, never over an existing file.
Status generate_key_file(const std::string& path);
// HMAC-SHA-256(master, "mlops key\0" name).
SecretBytes derive_key(const SecretBytes& master, std::string_view name);

}  // namespace mlops::crypto
