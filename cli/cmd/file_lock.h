// One process at a time on a file that is read, changed and replaced: whoever comes second waits.
// The lock is on a file NAME.lock beside it, which stays. Errors: kUnavailable "io_error". Thread-safety: one owner.
#pragma once

#include <string>

#include "core/base/result.h"

namespace mlops::cli {

class FileLock {
 public:
  static Result<FileLock> take(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace mlops::cli
