// The server's token vault: rows of the metadata database, and before them the tokens of runs that are not done yet.
//
// A token is handed out from memory and written by flush(), many in one transaction. Because all runs of a server share
// the object, a value that two of them meet at once gets one token. A run flushes before what it masked is registered;
// the tokens of a run that failed or crashed may be lost, and nothing refers to them.
// Errors: those of meta. Thread-safety: thread-safe.
#pragma once

#include <mutex>

#include "policies/mask/memory_vault.h"
#include "storage/meta/store.h"

namespace mlops::domain {

class StoreVault : public mask::TokenVault {
 public:
  explicit StoreVault(meta::Store& store) : store_(store) {}

  Result<std::vector<std::optional<std::string>>> find(std::string_view context,
                                                       std::span<const mask::Fingerprint> fingerprints) override;
  Result<std::vector<std::string>> add(std::string_view context, std::span<const mask::VaultEntry> entries) override;
  Result<std::optional<mask::VaultEntry>> entry_of(std::string_view context, std::string_view token) override;

  // The erasure that took the token's value away; empty: none did.
  Result<std::string> erased_by(std::string_view context, std::string_view token);

  // Everything handed out so far is on disk afterwards, with an audit entry that counts it; what is under a key that
  // was destroyed meanwhile is forgotten.
  Status flush();

 private:
  Result<std::vector<std::optional<std::string>>> find_locked(std::string_view context,
                                                              std::span<const mask::Fingerprint> fingerprints);

  meta::Store& store_;
  std::mutex mutex_;           // from a look into both places to the entry in memory
  mask::MemoryVault waiting_;  // also what is being written right now
  std::mutex flushing_;        // one after the other
};

}  // namespace mlops::domain
