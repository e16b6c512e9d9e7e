// One file on its way into a staging directory, hashed and written while it is filled; three threads for a large one.
//
// Errors: those of Env; kCorrupt "digest_mismatch". An object that is destroyed before commit leaves what it wrote: the
// staging directory goes with it. Thread-safety: one thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cli/transfer.h"

namespace mlops::cli {

// kLater: the caller makes many files durable at once. kSoon: nobody waits for the disk, but writing begins at once,
// because the file takes another one's place and file systems write it out then. kNever: the system writes it when it
// likes.
enum class Sync { kNow, kLater, kSoon, kNever };

class StagedFile {
 public:
  static Result<StagedFile> create(Env& env, const std::string& target, Sync sync);
  StagedFile(StagedFile&&) noexcept = default;
  StagedFile& operator=(StagedFile&&) noexcept = default;

  // Where the next `size` bytes go (at most a HashLane buffer). They count with filled().
  std::span<std::uint8_t> room(std::size_t size);
  void filled(std::size_t size);
  std::uint64_t written_bytes() const { return written_bytes_; }
  Status commit(const crypto::Digest& expected);

 private:
  StagedFile(std::string target, std::unique_ptr<WritableFile> file, Sync sync);
  void flush();

  std::string target_;
  Sync sync_;
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<HashLane> lane_;
  std::span<std::uint8_t> piece_;
  std::size_t used_ = 0;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace mlops::cli
