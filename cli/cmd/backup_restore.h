// Makes a data directory for mlopsd from one snapshot of a backup file: the database, and the packs cut to what they
// were, each with its index. Everything is compared with its SHA-256, every frame with its checksum, while it is
// written; the directory appears with one rename when all of it is durable.
//
// Errors: kAlreadyExists "directory_not_empty"; kInvalid "no_keys", "key_file_exposed"; kCorrupt "backup_damaged";
// kExhausted "disk_full"; those of Env. Thread-safety: one thread. Units: bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/cmd/backup_file.h"
#include "cli/cmd/pack_scan.h"

namespace mlops::cli {

enum class RestoreMode {
  kWhole,    // refuses what is damaged
  kSalvage,  // the database must be whole; of the packs, whatever frames are
};
enum class RestoreWrites { kYes, kNo };  // kNo: reads and compares as much, writes nothing

struct RestoreOptions {
  std::string directory;  // does not exist, or is empty
  std::string keys;       // a directory with *.key to copy along; empty: none
  RestoreMode mode = RestoreMode::kWhole;
  RestoreWrites writes = RestoreWrites::kYes;
};

struct RestoreReport {
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;               // whole frames
  std::vector<std::string> keys;           // names of those copied
  std::vector<BackupDamage> damage;        // of the file; only with kSalvage
  std::vector<BackupDamage> came_damaged;  // as the server's disk had it
};

// `progress` is told the bytes restored so far; it may be empty.
Result<RestoreReport> restore_backup(const BackupFile& file, const BackupSnapshot& snapshot,
                                     const RestoreOptions& options, const std::function<void(std::uint64_t)>& progress);

}  // namespace mlops::cli
