#include "cli/cmd/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/text.h"

namespace mlops::cli {

Result<FileLock> FileLock::take(const std::string& path) {
  const std::string name = path + ".lock";
  FileLock lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  bool locked = false;
  while (lock.descriptor_ >= 0 && !(locked = ::flock(lock.descriptor_, LOCK_EX) == 0) && errno == EINTR) {
  }
  if (locked) return lock;
  return fail(ErrorCode::kUnavailable, "io_error", "cannot lock " + printable(name), {}, std::strerror(errno));
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace mlops::cli
