// Bytes and their SHA-256 in one pass: one thread moves, a second one hashes what the first has moved.
//
// Thread-safety: a HashLane is driven by one thread; it owns the second one. Units: bytes.
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

#include "core/base/env.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

// A ring of buffers filled by the caller and hashed, in order, by the lane's thread. The caller may keep reading a
// submitted buffer until it acquires the next one. The thread starts with the first piece that is worth it.
class HashLane {
 public:
  static constexpr std::size_t kBuffers = 4;
  static constexpr std::size_t kBufferBytes = 1u << 20;

  HashLane();
  ~HashLane();
  HashLane(const HashLane&) = delete;
  HashLane& operator=(const HashLane&) = delete;

  // A free buffer of kBufferBytes; blocks while the ring is full of unhashed ones. REQUIRES: the one before was
  // submitted.
  std::span<std::uint8_t> acquire();
  // Hands the first `bytes` of the acquired buffer to the hasher.
  void submit(std::size_t bytes);
  // Waits for everything submitted. REQUIRES: called once, nothing after it.
  crypto::Digest finish();

 private:
  void run();

  std::array<std::unique_ptr<std::uint8_t[]>, kBuffers> buffers_;
  std::array<std::size_t, kBuffers> sizes_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t submitted_ = 0;
  std::uint64_t hashed_ = 0;
  bool closed_ = false;
  crypto::Hasher hasher_;
  std::thread thread_;
};

struct FileDigest {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

// Reads and hashes a whole file, two threads. `progress` (may be empty) is told the bytes done so far.
// Errors: those of Env; kConflict "file_changed" when the file shrank while being read.
Result<FileDigest> hash_file(Env& env, const std::string& path,
                             const std::function<void(std::uint64_t)>& progress = {});

// Hands a file out piece by piece while hashing it: the body of an upload.
class HashingReader {
 public:
  static Result<HashingReader> open(Env& env, const std::string& path);

  std::uint64_t size_bytes() const { return size_bytes_; }
  // The next piece; empty at the end. It is valid until the next call. Errors: as hash_file.
  Result<ByteView> next();
  // REQUIRES: next() gave the empty piece; called once.
  crypto::Digest finish() { return lane_->finish(); }

 private:
  HashingReader(std::unique_ptr<ReadableFile> file, std::string path);

  std::unique_ptr<ReadableFile> file_;
  std::string path_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::unique_ptr<HashLane> lane_;
};

}  // namespace mlops::cli
