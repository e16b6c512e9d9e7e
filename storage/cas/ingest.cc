#include "storage/cas/ingest.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "storage/cas/ingest_batch.h"
#include "storage/cas/ingest_hasher.h"
#include "storage/cas/stream_format.h"

namespace mlops::cas {
namespace {

using Kind = IngestPiece::Kind;

// Of the stream or of known chunks, in one batch. Few streams get more and larger ones, so that one seldom waits for
// the other side; many share the memory.
constexpr std::size_t kBatchBytes = 128u << 10;
constexpr std::size_t kLargeBatchBytes = 512u << 10;
constexpr std::size_t kBatchPieces = 2048;
// A file of known chunks is not read while it may turn out to be known as a whole; beyond this many it is.
constexpr std::size_t kBacklogMax = 1u << 20;

std::atomic<std::size_t> active_streams{0};
constexpr std::size_t kFewStreams = 8;

class ActiveStream {
 public:
  ActiveStream() : count_(++active_streams) {}
  ~ActiveStream() { --active_streams; }
  std::size_t batches() const { return count_ <= kFewStreams ? 4 : 2; }
  std::size_t batch_bytes() const { return count_ <= kFewStreams ? kLargeBatchBytes : kBatchBytes; }

 private:
  const std::size_t count_;
};

Failure bad_stream(std::string_view what) {
  return fail(ErrorCode::kInvalid, "bad_record", fmt::format("the stream of chunks is not well formed: {}", what),
              "is this mlopsctl of the server's version? see docs/format/push.md");
}

Failure object_missing(const crypto::Digest& digest) {
  return fail(ErrorCode::kConflict, "object_missing", fmt::format("{} is not in the store", digest.to_string()),
              "ask again what is missing, and send it");
}

// The receiving side: one file after the other.
class Receiver {
 public:
  Receiver(ContentStore& store, OwnerTag owner, const StreamRead& read, BatchQueue& queue, std::size_t batch_bytes)
      : store_(store), owner_(owner), read_(read), queue_(queue), batch_bytes_(batch_bytes) {
    start_file();
  }

  // To the end of the stream. The hashing side's failure comes first: it is the cause.
  Status run() {
    auto status = receive();
    // Also of a stream that broke off: whole pieces count.
    send_batch();
    queue_.end();
    return status;
  }

 private:
  Status receive() {
    while (true) {
      MLOPS_TRY(ready());
      MLOPS_ASSIGN(const auto bytes, next_bytes(kRecordHeadBytes));
      if (bytes.empty()) return chunks_ == 0 ? Status{} : Status(bad_stream("it ends in the middle of a file"));
      MLOPS_ASSIGN(const auto head, parse_record_head(bytes));
      MLOPS_TRY(take(head));
    }
  }

  Status take(const RecordHead& head) {
    if (must_end_ && head.type != RecordType::kEnd) return bad_stream("a short node is not the last of its file");
    switch (head.type) {
      case RecordType::kChunk:
        return take_chunk(head);
      case RecordType::kKnownChunk:
        return take_known_chunk(head.digest);
      case RecordType::kKnownNode:
        return take_known_node(head.digest);
      case RecordType::kEnd:
        return end_file(head.digest);
    }
    return {};
  }

  void start_file() {
    recipe_.emplace([this](const Node&, const crypto::Digest& digest, const std::string& bytes) {
      return add_node_record(digest, bytes);
    });
    backlog_.clear();
    chunks_ = 0;
    is_hashing_ = false;
    must_end_ = false;
    has_empty_ = false;
  }

  // A batch with room for one more record of any kind; sends the one before when it is full.
  Status ready() {
    const bool is_full = batch_ && (taken_ >= batch_bytes_ || batch_->known.size() >= batch_bytes_ ||
                                    batch_->pieces.size() >= kBatchPieces);
    if (is_full) send_batch();
    if (batch_) return {};
    batch_ = queue_.empty();
    if (!batch_) return fail(*queue_.failure());
    batch_->received.resize(batch_bytes_ + kRecordHeadBytes + kPayloadLimitBytes);
    batch_->known.reserve(batch_bytes_ + kChunkMaxBytes);
    std::copy(read_ahead_.begin(), read_ahead_.end(), batch_->received.begin());
    taken_ = 0;
    filled_ = read_ahead_.size();
    return {};
  }

  // What was read ahead of the last record goes to the next batch.
  void send_batch() {
    if (!batch_) return;
    const auto* received = batch_->received.data();
    read_ahead_.assign(received + taken_, received + filled_);
    queue_.send(std::move(batch_));
  }

  // The next bytes of the stream, in the batch; none at the end of the stream. Reads ahead, but not beyond what the
  // batch is meant to hold. REQUIRES: ready() before the record they belong to, `size` within its limits and not 0.
  // Errors: "bad_record" when the stream ends within them.
  Result<ByteView> next_bytes(std::size_t size) {
    while (filled_ - taken_ < size) {
      const auto end = std::max(taken_ + size, batch_bytes_);
      MLOPS_ASSIGN(const std::size_t got, read_(std::span(batch_->received).subspan(filled_, end - filled_)));
      if (got == 0 && filled_ == taken_) return ByteView();
      if (got == 0) return bad_stream("it ends in the middle of a record");
      filled_ += got;
    }
    const ByteView bytes(batch_->received.data() + taken_, size);
    taken_ += size;
    return bytes;
  }

  // Everything received so far is in the store afterwards.
  Status drain() {
    send_batch();
    queue_.wait_until_taken();
    if (auto failure = queue_.failure()) return fail(std::move(*failure));
    return {};
  }

  Status take_chunk(const RecordHead& head) {
    MLOPS_TRY(load_backlog());
    MLOPS_TRY(ready());
    IngestPiece piece;
    piece.kind = Kind::kNewChunk;
    piece.key = {ObjectKind::kChunk, head.digest};
    piece.encoding = head.encoding;
    piece.raw_bytes = head.raw_bytes;
    piece.bytes = {taken_, head.stored_bytes};
    if (head.stored_bytes > 0) {
      MLOPS_ASSIGN(const auto stored, next_bytes(head.stored_bytes));
      if (stored.empty()) return bad_stream("a chunk's bytes are missing");
    }
    batch_->pieces.push_back(piece);
    is_hashing_ = true;
    is_last_new_ = true;
    return count_chunk({head.digest, head.raw_bytes});
  }

  Status take_known_chunk(const crypto::Digest& digest) {
    const ObjectKey key{ObjectKind::kChunk, digest};
    if (!store_.has_object(key, owner_)) {
      MLOPS_TRY(drain());  // it may have been sent a moment ago
      if (!store_.has_object(key, owner_)) return object_missing(digest);
    }
    const auto entry = store_.packs().find(key, owner_);
    if (!entry) return object_missing(digest);
    is_last_new_ = false;
    MLOPS_TRY(count_chunk({digest, entry->raw_bytes}));
    return hash_known({digest, entry->raw_bytes});
  }

  Status take_known_node(const crypto::Digest& digest) {
    if (!recipe_->at_node_start()) return bad_stream("a node in the middle of another");
    if (!store_.has_object({ObjectKind::kNode, digest}, owner_)) {
      MLOPS_TRY(drain());
      if (!store_.has_object({ObjectKind::kNode, digest}, owner_)) return object_missing(digest);
    }
    auto read = store_.read_node(digest, owner_);
    if (!read && read.error().code == ErrorCode::kCorrupt) return object_missing(digest);
    MLOPS_ASSIGN(const auto node, std::move(read));
    if (node.level != 0) return bad_stream("a node of another level");
    must_end_ = !ends_node(node);
    is_last_new_ = false;
    chunks_ += node.entries.size();
    if (chunks_ == node.entries.size()) first_ = node.entries.front().digest;
    MLOPS_TRY(recipe_->add_node({digest, node.size_bytes()}));
    for (const auto& entry : node.entries) MLOPS_TRY(hash_known(entry));
    return {};
  }

  Status count_chunk(const RecipeEntry& chunk) {
    if (++chunks_ == 1) first_ = chunk.digest;
    has_empty_ = has_empty_ || chunk.size_bytes == 0;
    if (has_empty_ && chunks_ > 1) return bad_stream("an empty chunk in a file of several");
    return recipe_->add(chunk);
  }

  Status hash_known(const RecipeEntry& chunk) {
    backlog_.push_back(chunk);
    return is_hashing_ || backlog_.size() >= kBacklogMax ? load_backlog() : Status{};
  }

  // Reads the known chunks passed over so far, so that the whole file is hashed in order.
  Status load_backlog() {
    for (const auto& chunk : backlog_) {
      MLOPS_TRY(ready());
      if (chunk.size_bytes > kChunkMaxBytes) return object_missing(chunk.digest);
      IngestPiece piece;
      piece.kind = Kind::kKnownChunk;
      piece.bytes = {batch_->known.size(), static_cast<std::size_t>(chunk.size_bytes)};
      batch_->known.resize(piece.bytes.begin + piece.bytes.size);
      auto loaded = store_.read_chunk_to(chunk.digest, std::span(batch_->known).subspan(piece.bytes.begin), owner_);
      if (!loaded && loaded.error().code == ErrorCode::kCorrupt) return object_missing(chunk.digest);
      MLOPS_TRY(std::move(loaded));
      batch_->pieces.push_back(piece);
      is_hashing_ = true;
    }
    backlog_.clear();
    return {};
  }

  Status add_node_record(const crypto::Digest& digest, const std::string& bytes) {
    MLOPS_TRY(ready());
    IngestPiece piece;
    piece.kind = Kind::kRecord;
    piece.key = {ObjectKind::kNode, digest};
    piece.raw_bytes = static_cast<std::uint32_t>(bytes.size());
    piece.bytes = {batch_->records.size(), bytes.size()};
    append_bytes(batch_->records, as_bytes(bytes));
    batch_->pieces.push_back(piece);
    return {};
  }

  Status end_file(const crypto::Digest& named) {
    if (chunks_ == 0) return bad_stream("a file without chunks");
    if (++files_ > kStreamFilesMax) {
      return fail(ErrorCode::kExhausted, "too_many_files",
                  fmt::format("more than {} files in one stream", kStreamFilesMax), "send them in several");
    }
    IngestPiece piece;
    piece.is_named = named != crypto::Digest();
    piece.size_bytes = recipe_->size_bytes();
    piece.is_single = chunks_ == 1;
    std::optional<crypto::Digest> known;
    if (piece.is_single) {
      known = first_;
      piece.kind = is_last_new_ ? Kind::kEnd : Kind::kEndKnown;
    } else {
      MLOPS_ASSIGN(piece.root, recipe_->finish());
      if (!is_hashing_) known = store_.blob_of_root(piece.root, owner_);
      piece.kind = known ? Kind::kEndKnown : Kind::kEnd;
      if (known) store_.lease(*known);
    }
    if (known && piece.is_named && *known != named) {
      return fail(ErrorCode::kInvalid, "digest_mismatch",
                  fmt::format("the bytes received have the digest {}, not {}", known->to_string(), named.to_string()),
                  "the file changed while it was sent, or the transfer was damaged; send it again");
    }
    if (!known) MLOPS_TRY(load_backlog());
    piece.key = {ObjectKind::kBlob, known.value_or(named)};
    MLOPS_TRY(ready());
    batch_->pieces.push_back(piece);
    start_file();
    return {};
  }

  ContentStore& store_;
  const OwnerTag owner_;
  const StreamRead& read_;
  BatchQueue& queue_;
  const std::size_t batch_bytes_;
  std::unique_ptr<IngestBatch> batch_;
  std::size_t taken_ = 0;                 // of batch_->received, by records
  std::size_t filled_ = 0;                // of batch_->received
  std::vector<std::uint8_t> read_ahead_;  // for the next batch
  std::uint64_t files_ = 0;

  // Of the file being received.
  std::optional<RecipeBuilder> recipe_;
  std::vector<RecipeEntry> backlog_;  // known chunks not handed on for hashing
  std::uint64_t chunks_ = 0;
  crypto::Digest first_;
  bool is_hashing_ = false;  // something of the file was handed on
  bool is_last_new_ = false;
  bool must_end_ = false;
  bool has_empty_ = false;  // an empty chunk
};

void hash_batches(IngestHasher& hasher, BatchQueue& queue) {
  bool has_failed = false;
  while (auto batch = queue.next()) {
    if (!has_failed) {
      if (auto taken = hasher.take(*batch); !taken) {
        has_failed = true;
        queue.fail(std::move(taken.error()));
      }
    }
    queue.give_back(std::move(batch));
  }
}

// Something may have been lost or set aside while the stream was received.
Status check_again(const ContentStore& store, OwnerTag owner, const std::vector<Stored>& files) {
  for (const auto& file : files) {
    if (store.has(file.digest, file.size_bytes, owner)) continue;
    return fail(ErrorCode::kUnavailable, "store_changed", "stored bytes were lost while the stream was received",
                "send it again");
  }
  return {};
}

}  // namespace

Result<Received> receive_files(ContentStore& store, OwnerTag owner, const StreamRead& read) {
  MLOPS_TRY(store.packs().check_space());
  const ActiveStream active;
  const auto generation = store.packs().generation();
  BatchQueue queue(active.batches());
  IngestHasher hasher(store, owner);
  std::thread hashing([&] { hash_batches(hasher, queue); });
  auto status = Receiver(store, owner, read, queue, active.batch_bytes()).run();
  hashing.join();
  if (auto failure = queue.failure()) return fail(std::move(*failure));
  // Also of a stream that broke off: what came is kept for the next try.
  auto synced = store.packs().sync();
  MLOPS_TRY(std::move(status));
  MLOPS_TRY(std::move(synced));
  if (store.packs().generation() != generation) MLOPS_TRY(check_again(store, owner, hasher.all_files()));
  return hasher.received();
}

}  // namespace mlops::cas
