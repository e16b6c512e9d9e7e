// Bytes and their SHA-256 in one pass: one thread moves, others hash and write what the first has moved.
//
// Thread-safety: a HashLane is driven by one thread; it owns the others. Units: bytes.
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

// A ring of buffers filled by the caller and hashed, in order, by the lane's thread; written, too, by another one when
// the lane has a file. The caller may keep reading a submitted buffer until it acquires the next one. The threads start
// with the first piece that is worth it.
class HashLane {
 public:
  static constexpr std::size_t kBuffers = 4;
  static constexpr std::size_t kBufferBytes = 1u << 20;

  // `file`: gets everything submitted; nullptr: none. REQUIRES: it outlives this.
  explicit HashLane(WritableFile* file = nullptr);
  ~HashLane();
  HashLane(const HashLane&) = delete;
  HashLane& operator=(const HashLane&) = delete;

  // A free buffer of kBufferBytes; blocks while the ring is full of others. REQUIRES: the one before was submitted.
  std::span<std::uint8_t> acquire();
  // Hands the first `bytes` of the acquired buffer on.
  void submit(std::size_t bytes);
  // Waits for everything submitted. Errors: the file's. REQUIRES: called once, nothing after it.
  Result<crypto::Digest> finish();

 private:
  // What a thread does with each buffer in turn.
  struct Worker {
    std::function<void(ByteView)> work;
    std::uint64_t done = 0;
    std::thread thread;
  };
  void run(Worker& worker);
  void close();
  void write(ByteView bytes);
  std::uint64_t done_by_all() const;

  std::array<std::unique_ptr<std::uint8_t[]>, kBuffers> buffers_;
  std::array<std::size_t, kBuffers> sizes_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t submitted_ = 0;
  bool closed_ = false;
  crypto::Hasher hasher_;
  WritableFile* const file_;
  Status written_;
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

// Hands a file out piece by piece while hashing it: the body of an upload.
class HashingReader {
 public:
  static Result<HashingReader> open(Env& env, const std::string& path);

  std::uint64_t size_bytes() const { return size_bytes_; }
  // The next piece; empty at the end. It is valid until the next call. Errors: as hash_file.
  Result<ByteView> next();
  // REQUIRES: next() gave the empty piece; called once.
  Result<crypto::Digest> finish() { return lane_->finish(); }

 private:
  HashingReader(std::unique_ptr<ReadableFile> file, std::string path);

  std::unique_ptr<ReadableFile> file_;
  std::string path_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::unique_ptr<HashLane> lane_;
};

}  // namespace mlops::cli
