// Records on their way to the server (storage/cas/stream_format.h), in order: workers encode ahead, a thread of its own
// sends. Errors: those of the server and of the way; the first one ends the stream. Thread-safety: one caller.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "cli/cmd/push_source.h"
#include "cli/session.h"
#include "storage/cas/stream_format.h"

namespace mlops::cli {

class PushStream {
 public:
  // REQUIRES: `workers` outlives this.
  PushStream(std::unique_ptr<ApiClient> api, ThreadPool& workers);
  ~PushStream();

  // False: the stream has failed; finish() says how.
  bool add_chunk(const std::shared_ptr<const PushUnit>& unit, const PushChunk& chunk);
  bool add_record(cas::RecordType type, const crypto::Digest& digest);
  // What was added waits for nothing more: its units are let go of soon.
  bool flush() { return close_slot(); }
  // The server's answer, after everything added has been sent and is durable there.
  Result<Json> finish();
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  struct Part {
    cas::RecordHead head;
    std::shared_ptr<const PushUnit> unit;  // a chunk's
    ByteView raw;
  };
  // Records that are encoded together and sent in one piece.
  struct Slot {
    std::vector<Part> parts;
    std::size_t raw_bytes = 0;
    RawBytes out;
    bool is_ready = false;
  };

  bool close_slot();
  void encode(Slot& slot);
  RawBytes spare_buffer();
  Result<ByteView> next_piece();

  std::unique_ptr<ApiClient> api_;
  ThreadPool& workers_;
  std::shared_ptr<Slot> filling_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Slot>> slots_;
  std::shared_ptr<Slot> sending_;  // of the sending thread
  std::vector<RawBytes> spare_;
  bool is_ended_ = false;
  bool is_given_up_ = false;
  std::optional<Result<Json>> answer_;
  std::uint64_t sent_bytes_ = 0;
  std::thread sender_;
};

}  // namespace mlops::cli
