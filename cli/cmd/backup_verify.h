// Reads a whole backup file and compares everything that can be compared: every record with its SHA-256, every frame of
// a pack with its checksum, of every snapshot that all its packs are there and that its database has its SHA-256.
// Errors: those of reading; what is damaged is in the report. Thread-safety: one thread. Units: bytes.
#pragma once

#include <functional>
#include <vector>

#include "cli/cmd/backup_file.h"
#include "cli/cmd/pack_scan.h"

namespace mlops::cli {

struct BackupReport {
  std::uint64_t records = 0;
  std::vector<BackupDamage> damage;
  // In packs, with the record's SHA-256 right: the server's disk had it so.
  std::vector<BackupDamage> came_damaged;
  std::uint64_t unfinished_bytes = 0;  // behind the last snapshot

  bool is_whole() const { return damage.empty() && unfinished_bytes == 0; }
};

// `progress` is told the bytes of the file read so far; it may be empty.
Result<BackupReport> verify_backup(const BackupFile& file, const std::function<void(std::uint64_t)>& progress);

// What keeps the snapshot from being restored whole, apart from the records' contents; empty: nothing.
std::vector<BackupDamage> holes_of(const BackupFile& file, const BackupSnapshot& snapshot);

}  // namespace mlops::cli
