// The text of an offline vault: all entries, sealed as one with AES-256-GCM, so that neither tokens nor fingerprints
// nor names of datasets can be read or changed without the key.
//
//   "mlops-vault 1\n" then nonce ‖ ciphertext ‖ tag of [{"context","fingerprint","token","key","sealed"}…] in JSON
//
// Errors: kDenied "wrong_vault_key"; kCorrupt "vault_damaged". Thread-safety: free functions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "policies/mask/memory_vault.h"

namespace mlops::mask {

Result<std::string> vault_to_text(const MemoryVault& vault, ByteView key);
// Into an empty vault.
Status read_vault_text(std::string_view text, ByteView key, MemoryVault& vault);

}  // namespace mlops::mask
