// Adds records to a backup file; one process at a time, behind what is whole.
//
// Opening cuts off the torn end of an interrupted run and keeps the pack bytes it had received whole, after comparing
// them with their SHA-256 and looking at every frame: the next run goes on from there. A snapshot's record is written
// after a sync of everything before it and is durable when end_snapshot() returns.
//
// Errors: those of BackupFile and Env; kUnavailable "backup_in_use"; kCorrupt "backup_damaged" when something before
// the last snapshot is damaged: nothing is built on that. Thread-safety: one thread. Units: bytes.
#pragma once

#include <memory>
#include <string>

#include "cli/cmd/backup_file.h"

namespace mlops::cli {

class BackupWriter {
 public:
  // Makes the file when there is none.
  static Result<BackupWriter> open(Env& env, const std::string& path);
  BackupWriter(BackupWriter&&) noexcept = default;
  BackupWriter& operator=(BackupWriter&&) = delete;

  // As it was when the writer was opened, or after drop_unfinished().
  const BackupFile& file() const { return *file_; }
  // Forgets what an interrupted run left, whole or not. REQUIRES: before anything is appended.
  Status drop_unfinished();
  // Sets place, size and digest of `head`. Errors also: kExhausted "record_too_large".
  Status append(BackupHead head, ByteView payload);
  Status end_snapshot(const BackupSnapshot& snapshot);
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Lock {
    explicit Lock(int number) : fd(number) {}
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    int fd;
  };
  BackupWriter(Env& env, std::string path, std::unique_ptr<Lock> lock);
  Status load();
  Result<std::uint64_t> usable_bytes() const;
  Status cut(std::uint64_t size_bytes);

  Env* env_;
  std::string path_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<BackupFile> file_;
  std::unique_ptr<WritableFile> out_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace mlops::cli
