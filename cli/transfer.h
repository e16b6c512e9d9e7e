// Bytes passed from one thread to others in pieces: one thread moves, others hash and write what the first has moved.
//
// Thread-safety: a PieceLane is driven by one thread; it owns the others. Units: bytes.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/env.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

// A ring of buffers filled by the caller; each of the lane's threads does its work with them, in order. The caller may
// keep reading a submitted buffer until it acquires the next one. The threads start with the first piece that is worth
// it; smaller ones before it are worked on in place.
class PieceLane {
 public:
  static constexpr std::size_t kBuffers = 4;
  static constexpr std::size_t kBufferBytes = 1u << 20;

  using Work = std::function<void(ByteView)>;
  // A thread each. REQUIRES: what they refer to outlives this.
  explicit PieceLane(std::vector<Work> works);
  ~PieceLane();
  PieceLane(const PieceLane&) = delete;
  PieceLane& operator=(const PieceLane&) = delete;

  // A free buffer of kBufferBytes; blocks while the ring is full of others. REQUIRES: the one before was submitted.
  std::span<std::uint8_t> acquire();
  // Hands the first `bytes` of the acquired buffer on.
  void submit(std::size_t bytes);
  // Returns when all works are done with everything submitted. REQUIRES: nothing after it.
  void finish();

 private:
  struct Worker {
    Work work;
    std::uint64_t done = 0;
    std::thread thread;
  };
  void run(Worker& worker);
  std::uint64_t done_by_all() const;

  std::array<std::unique_ptr<std::uint8_t[]>, kBuffers> buffers_;
  std::array<std::size_t, kBuffers> sizes_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t submitted_ = 0;
  bool closed_ = false;
  std::vector<Worker> workers_;
};

struct FileDigest {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

// Reads and hashes a whole file, two threads. `progress` (may be empty) is told the bytes done so far.
// Errors: those of Env; kConflict "file_changed" when the file shrank while being read.
Result<FileDigest> hash_file(Env& env, const std::string& path,
                             const std::function<void(std::uint64_t)>& progress = {});

}  // namespace mlops::cli
