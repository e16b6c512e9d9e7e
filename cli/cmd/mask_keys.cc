#include "cli/cmd/mask_keys.h"

#include <fmt/format.h>

#include <mutex>

#include "cli/cmd/key_ring_file.h"
#include "cli/cmd/run.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/crypto/key_file.h"
#include "core/crypto/master_key.h"
#include "policies/mask/vault_text.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kVaultUse = "vault";
constexpr std::size_t kLargestVaultBytes = std::size_t{2} << 30;

// Reads the file once: a run masks under one key, whatever becomes of the file.
class FileKeys : public mask::KeySource {
 public:
  // `master`: what was read of the file already; empty: nothing.
  FileKeys(std::string key_file, crypto::SecretBytes master)
      : key_file_(std::move(key_file)), master_(std::move(master)) {}

  Result<mask::NamedKey> current(const std::string& name) const override {
    if (key_file_.empty()) {
      return fail(ErrorCode::kInvalid, "key_needed", fmt::format("the policy uses the key '{}'", printable(name)),
                  "add --key-file FILE, which --generate-key makes, or --keyring RING");
    }
    const std::lock_guard lock(mutex_);
    if (master_.empty()) {
      MLOPS_ASSIGN(master_, crypto::read_key_file(key_file_));
    }
    return mask::NamedKey{mask::to_string({name, 1}), crypto::derive_key(master_, name)};
  }

  Result<mask::NamedKey> by_id(const std::string& id) const override {
    const auto parsed = mask::parse_key_id(id);
    if (!parsed || parsed->version != 1) {
      return fail(ErrorCode::kNotFound, "unknown_key_id", fmt::format("the key file has no key {}", printable(id)));
    }
    return current(parsed->name);
  }

 private:
  std::string key_file_;
  mutable std::mutex mutex_;
  mutable crypto::SecretBytes master_;
};

}  // namespace

Result<MaskKeys> MaskKeys::open(const Session& session) {
  const auto key_file = session.option("--key-file").value_or("");
  const auto ring_file = session.option("--keyring").value_or("");
  const auto vault_file = session.option("--vault").value_or("");
  if (!key_file.empty() && !ring_file.empty()) {
    return usage_error("--key-file and --keyring are two places for keys", "name one of them");
  }
  if (ring_file.empty() && session.option("--master")) return usage_error("--master opens a --keyring", "name both");
  crypto::keep_out_of_core_dumps();
  MaskKeys keys;
  crypto::SecretBytes vault_key;
  if (!ring_file.empty()) {
    MLOPS_ASSIGN(auto ring, open_key_ring(ring_file, session.option("--master").value_or(crypto::kDefaultMasterKey)));
    vault_key = ring.derived(kVaultUse);
    keys.keys_ = std::make_unique<mask::KeyRing>(std::move(ring));
  } else {
    crypto::SecretBytes master;
    if (!key_file.empty() && !vault_file.empty()) {
      MLOPS_ASSIGN(master, crypto::read_key_file(key_file));
      vault_key = crypto::derive_key(master, std::string("\0vault", 6));  // no key's name has a NUL
    }
    keys.keys_ = std::make_unique<FileKeys>(key_file, std::move(master));
  }
  if (vault_file.empty()) return keys;
  if (vault_key.empty()) return usage_error("a vault is sealed with a key", "add --keyring RING or --key-file FILE");
  MLOPS_TRY(keys.open_vault(vault_file, std::move(vault_key)));
  return keys;
}

Status MaskKeys::open_vault(const std::string& path, crypto::SecretBytes key) {
  MLOPS_ASSIGN(auto lock, FileLock::take(path));
  lock_.emplace(std::move(lock));
  vault_ = std::make_unique<mask::MemoryVault>();
  vault_file_ = path;
  vault_key_ = std::move(key);
  const auto text = read_file(path, kLargestVaultBytes);
  if (!text && text.error().slug == "file_not_found") return {};
  if (!text) return fail(text.error());
  MLOPS_TRY(mask::read_vault_text(*text, vault_key_.view(), *vault_));
  stored_ = vault_->size();
  return {};
}

Status MaskKeys::store_vault() {
  if (!vault_ || vault_->size() == stored_) return {};
  MLOPS_ASSIGN(const auto text, mask::vault_to_text(*vault_, vault_key_.view()));
  MLOPS_TRY(write_file_atomic(vault_file_, text));
  stored_ = vault_->size();
  return {};
}

}  // namespace mlops::cli
