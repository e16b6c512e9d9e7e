// The keys and the vault that the words of a command lend to masking: --keyring RING [--master WHERE], or --key-file
// FILE, and --vault FILE.
//
// A key file has one version of every name, and is looked at only when a policy asks for a key. A vault's file is held
// under a lock while the object lives, so that two runs cannot give one value two tokens.
// Errors: kInvalid "usage", "key_needed"; those of key files, rings, vaults and files. Thread-safety: main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/cmd/file_lock.h"
#include "cli/session.h"
#include "policies/mask/key.h"
#include "policies/mask/memory_vault.h"

namespace mlops::cli {

class MaskKeys {
 public:
  // REQUIRES: the command declares the four options.
  static Result<MaskKeys> open(const Session& session);

  mask::RunSecrets secrets() const { return {*keys_, vault_.get()}; }
  // Writes the vault back if it has new tokens. REQUIRES: before the masked data appears anywhere.
  Status store_vault();

 private:
  MaskKeys() = default;
  Status open_vault(const std::string& path, crypto::SecretBytes key);

  std::unique_ptr<mask::KeySource> keys_;
  std::optional<FileLock> lock_;
  std::unique_ptr<mask::MemoryVault> vault_;
  std::string vault_file_;
  crypto::SecretBytes vault_key_;
  std::size_t stored_ = 0;
};

}  // namespace mlops::cli
