// One file on its way into a staging directory, verified and written while it is filled; three threads for a large one.
//
// Errors: those of Env; kCorrupt "digest_mismatch". An object that is destroyed before commit leaves what it wrote: the
// staging directory goes with it. Thread-safety: one thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cli/cmd/content_check.h"
#include "cli/transfer.h"

namespace mlops::cli {

// kLater: the caller makes many files durable at once. kSoon: nobody waits for the disk, but writing begins at once,
// because the file takes another one's place and file systems write it out then. kNever: the system writes it when it
// likes.
enum class Sync { kNow, kLater, kSoon, kNever };

class StagedFile {
 public:
  // `size_bytes`: that it will have.
  static Result<StagedFile> create(Env& env, const std::string& target, Sync sync, std::uint64_t size_bytes,
                                   std::unique_ptr<ContentCheck> check);
  StagedFile(StagedFile&&) noexcept = default;
  StagedFile& operator=(StagedFile&&) = delete;  // the lane's threads use what the old one owns

  // Where the next `size` bytes go, whole chunks of at most PieceLane::kBufferBytes. They count with filled().
  std::span<std::uint8_t> room(std::size_t size);
  void filled(std::size_t size);
  Status commit();

 private:
  // What the lane's threads use.
  struct Sinks {
    std::unique_ptr<WritableFile> file;
    Status written;
    std::unique_ptr<ContentCheck> check;
  };
  StagedFile(std::string target, Sync sync, std::unique_ptr<Sinks> sinks);
  void flush();

  std::string target_;
  Sync sync_;
  std::unique_ptr<Sinks> sinks_;
  std::unique_ptr<PieceLane> lane_;
  std::span<std::uint8_t> piece_;
  std::size_t used_ = 0;
};

}  // namespace mlops::cli
