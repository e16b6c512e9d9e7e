// Where the master key of a key ring is, as words name it, and the key itself.
//
//   file:PATH         mode 0600, at least 32 random bytes, hex or raw (key_file.h); a path without a word means this
//   too env:NAME          an environment variable, at least 64 hex digits; it is taken out of the environment when read
//   credential:NAME   a credential that systemd hands over: the file NAME in $CREDENTIALS_DIRECTORY
//
// Errors: those of key_file.h; kInvalid "bad_master_key", kNotFound "master_key_missing".
// Thread-safety: single-threaded, because it changes the environment.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/crypto/seal.h"

namespace mlops::crypto {

inline constexpr const char* kDefaultMasterKey = "env:MLOPS_MASTER_KEY";

Result<SecretBytes> read_master_key(const std::string& words);

}  // namespace mlops::crypto
