// Files as chunks with their digests, in order, read and hashed by all cores with bounded memory: small files are
// gathered into units that a worker reads whole, large ones are cut by one thread and hashed by the others; what is as
// in an older file is hashed by the thread that cuts (guessed_cuts.h).
//
// Errors: those of reading; kConflict "file_changed" when a file has not the size it had when it was listed. Ownership:
// a unit's bytes live while somebody holds it; at most kUnits are alive, so whoever waits for the next one must let go
// of earlier ones. Thread-safety: one caller. Units: bytes.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/cmd/guessed_cuts.h"
#include "core/base/result.h"
#include "core/base/thread_pool.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

struct PushInput {
  std::string path;    // for messages
  std::string source;  // on this machine; empty: `memory` is the file
  std::shared_ptr<const std::string> memory;
  std::uint64_t size_bytes = 0;
  // Asks for the chunks of a file that this one may mostly be; {}: none is known, and so for an empty answer. Called by
  // the source's thread when the file's turn comes.
  std::function<std::vector<cas::RecipeEntry>()> older_chunks;
};

// kConflict "file_changed".
Failure file_changed(const PushInput& input);

struct PushChunk {
  std::size_t input = 0;
  std::size_t begin = 0;  // in the unit's bytes
  std::size_t size = 0;
  crypto::Digest digest;
  bool is_first = false;  // of its file
  bool is_last = false;
};

struct PushUnit {
  RawBytes bytes;
  std::vector<PushChunk> chunks;
  std::size_t hashed_chunks = 0;  // of chunks, the first ones: hashed when they were cut

  ByteView bytes_of(const PushChunk& chunk) const { return ByteView(bytes).subspan(chunk.begin, chunk.size); }
};

class PushSource {
 public:
  static constexpr std::size_t kUnitBytes = 4u << 20;
  static constexpr std::size_t kUnits = 8;

  // REQUIRES: `inputs` and `workers` outlive this.
  PushSource(const std::vector<PushInput>& inputs, ThreadPool& workers);
  ~PushSource();
  // The next unit; nullptr after the last.
  Result<std::shared_ptr<const PushUnit>> next();

 private:
  struct Slot;
  struct Gate;
  void read_all();
  Status read_large(std::size_t input);
  class Cutter;
  bool hand_out(std::shared_ptr<PushUnit> unit, std::function<Status(PushUnit&)> work);
  std::shared_ptr<PushUnit> new_unit();
  std::size_t gather_small(std::size_t from, std::vector<std::size_t>& inputs) const;
  Status read_small(const std::vector<std::size_t>& inputs, PushUnit& unit) const;
  void end(Status status);

  const std::vector<PushInput>& inputs_;
  ThreadPool& workers_;
  std::shared_ptr<Gate> gate_;  // counts units that are alive
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Slot>> slots_;
  bool is_ended_ = false;
  Status ended_with_;
  std::thread reader_;
};

}  // namespace mlops::cli
