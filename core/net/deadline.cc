#include "core/net/deadline.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <system_error>

namespace mlops::net {
namespace {

// Again and again: a socket that is not connected yet cannot be shut down.
constexpr std::chrono::milliseconds kAgainAfter{20};

}  // namespace

void Deadline::watch(int socket) {
  const std::lock_guard lock(mutex_);
  socket_ = FileDescriptor(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

Status Deadline::begin(std::int64_t timeout_ms) {
  end();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  is_over_ = has_passed_ = false;
  try {
    thread_ = std::thread([this, until] { run(until); });
  } catch (const std::system_error&) {
    is_over_ = true;
    return fail(ErrorCode::kUnavailable, "no_thread", "no thread can be started", "try again later");
  }
  return {};
}

void Deadline::run(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_until(lock, until, [this] { return is_over_; })) {
    has_passed_ = true;
    if (socket_.get() >= 0) ::shutdown(socket_.get(), SHUT_RDWR);
    until = std::chrono::steady_clock::now() + kAgainAfter;
  }
}

bool Deadline::end() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  return has_passed_;
}

}  // namespace mlops::net
