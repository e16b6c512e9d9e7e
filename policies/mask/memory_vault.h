// A vault in memory: for tests, and what the file of an offline vault is read into.
// Thread-safety: thread-safe. Ownership: of all its entries.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "policies/mask/vault.h"

namespace mlops::mask {

class MemoryVault : public TokenVault {
 public:
  Result<std::vector<std::optional<std::string>>> find(std::string_view context,
                                                       std::span<const Fingerprint> fingerprints) override;
  Result<std::vector<std::string>> add(std::string_view context, std::span<const VaultEntry> entries) override;
  Result<std::optional<VaultEntry>> entry_of(std::string_view context, std::string_view token) override;

  // Absent is not an error.
  void remove(std::string_view context, std::string_view token);
  std::size_t size() const;
  // Entries in the order of their contexts and tokens.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::lock_guard lock(mutex_);
    for (const auto& [context, entries] : contexts_) {
      for (const auto& [token, entry] : entries.by_token) visit(context, entry);
    }
  }

 private:
  struct Entries {
    std::map<Fingerprint, std::string> tokens;
    std::map<std::string, VaultEntry, std::less<>> by_token;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entries, std::less<>> contexts_;
};

}  // namespace mlops::mask
