// What the receiving thread of an ingest hands to the hashing one: pieces of files in order, with the bytes they need.
// Private to the ingest. Thread-safety: a batch belongs to one thread at a time; a BatchQueue is thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/cas/content_store.h"

namespace mlops::cas {

struct IngestPiece {
  enum class Kind : std::uint8_t {
    kNewChunk,    // decode, verify, hash, append
    kKnownChunk,  // hash only
    kRecord,      // a node: append
    kEnd,         // of a file: its digest comes from the hash
    kEndKnown     // of a file whose digest is known without hashing
  };
  struct Range {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  Kind kind = Kind::kEnd;
  ObjectKey key;  // chunk or record; kEnd: the digest named, if any; kEndKnown: the digest
  Encoding encoding = Encoding::kRaw;
  std::uint32_t raw_bytes = 0;
  Range bytes;             // of a known chunk: in known; of a new one, as stored: in received; of a record: in records
  bool is_named = false;   // kEnd*: the sender named the digest
  bool is_single = false;  // kEnd*: the file is its one chunk
  crypto::Digest root;     // kEnd* of several chunks
  std::uint64_t size_bytes = 0;  // kEnd*: of the file
};

struct IngestBatch {
  RawBytes received;  // the stream as it came: heads of records, and chunks as they are stored
  RawBytes known;     // chunks read from the store
  RawBytes records;
  std::vector<IngestPiece> pieces;

  ByteView bytes_of(const IngestPiece& piece) const {
    const auto& bytes = piece.kind == IngestPiece::Kind::kNewChunk     ? received
                        : piece.kind == IngestPiece::Kind::kKnownChunk ? known
                                                                       : records;
    return ByteView(bytes).subspan(piece.bytes.begin, piece.bytes.size);
  }
};

// Batches from one thread to another, a bounded number; the same ones go round.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t count);
  // The filling side. An empty batch; nullptr once the other side has failed.
  std::unique_ptr<IngestBatch> empty();
  void send(std::unique_ptr<IngestBatch> batch);
  void end();
  // Waits until everything sent has been taken and given back, or the other side has failed.
  void wait_until_taken();
  // The taking side. nullptr: the end.
  std::unique_ptr<IngestBatch> next();
  void give_back(std::unique_ptr<IngestBatch> batch);
  void fail(Error error);
  std::optional<Error> failure();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<IngestBatch>> full_;
  std::vector<std::unique_ptr<IngestBatch>> empty_;
  std::optional<Error> failure_;
  std::size_t taken_ = 0;  // by next(), not given back yet
  bool is_ended_ = false;
};

}  // namespace mlops::cas
