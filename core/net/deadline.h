// An end for an exchange that a library runs, however slowly the other side drips: after a time the socket is shut down
// under it, so that whatever waits on it returns.
//
// The socket is held by a descriptor of this object's own: it is the same socket however the library opens, closes and
// numbers its own, and no lock of the library is needed. Resolving a host's name is not ended. Thread-safety: watch(),
// begin() and end() belong to one thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "core/base/dir.h"
#include "core/base/result.h"

namespace mlops::net {

class Deadline {
 public:
  Deadline() = default;
  ~Deadline() { end(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // The socket that is now used. It may not be connected yet.
  void watch(int socket);
  // From now on it lasts so long. Errors: kUnavailable "no_thread".
  Status begin(std::int64_t timeout_ms);
  // Gives whether the time had passed.
  bool end();

 private:
  void run(std::chrono::steady_clock::time_point until);

  std::mutex mutex_;
  std::condition_variable changed_;
  FileDescriptor socket_;
  bool is_over_ = true;
  bool has_passed_ = false;
  std::thread thread_;
};

}  // namespace mlops::net
