#include "cli/cmd/late_removal.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mlops::cli {
namespace {

constexpr off_t kWorthBytes = 64 << 20;
constexpr std::size_t kHeldMax = 64;

// The ring is used for nothing else and stays open until the process ends: that is its use.
void hand_to_ring(const std::vector<int>& files) {
  io_uring_params parameters{};
  const auto ring = ::syscall(__NR_io_uring_setup, 1, &parameters);
  if (ring < 0) return;
  (void)::syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES, files.data(), files.size());
}

}  // namespace

void LateRemoval::hold(const std::string& path) {
  if (held_.size() == kHeldMax) return;
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= kWorthBytes) {
    held_.push_back(fd);
  } else {
    ::close(fd);
  }
}

LateRemoval::~LateRemoval() {
  if (!held_.empty()) hand_to_ring(held_);
  for (const int fd : held_) ::close(fd);
}

}  // namespace mlops::cli
