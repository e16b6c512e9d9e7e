// The database as a backup file holds it: a chain of records, of which later ones lie over earlier ones, block by
// block. A chain begins with the whole database; what follows holds the blocks that changed. Every eighth snapshot
// begins a new chain, so that one damaged block does not cost every snapshot its database.
//
// Errors: those of BackupFile. Thread-safety: one thread. Units: bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "cli/cmd/backup_file.h"

namespace mlops::cli {

inline constexpr std::size_t kDatabaseBlockBytes = 64u << 10;
inline constexpr std::uint32_t kChainSnapshots = 8;

class DatabaseImage {
 public:
  // What the records of the chain before `before` (a place in the file) make up. REQUIRES: `file` outlives the image.
  DatabaseImage(const BackupFile& file, std::uint32_t chain, std::uint64_t before);

  // Is this the block that is here already? `offset` is a multiple of the block size.
  Result<bool> holds(std::uint64_t offset, ByteView block) const;
  // Hands the first `size_bytes` to `sink`, in order; their SHA-256 comes back. Errors: "backup_damaged" where a block
  // is missing.
  Result<crypto::Digest> read(std::uint64_t size_bytes, const std::function<Status(ByteView)>& sink) const;

 private:
  struct Place {
    std::uint64_t at = 0;
    std::size_t size_bytes = 0;
  };
  const BackupFile& file_;
  std::unordered_map<std::uint64_t, Place> blocks_;  // by number
};

// The chain that the next snapshot goes on with; nullopt: it begins a new one.
std::optional<std::uint32_t> chain_to_continue(const BackupFile& file);

}  // namespace mlops::cli
