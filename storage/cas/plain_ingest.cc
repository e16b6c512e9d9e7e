#include "storage/cas/plain_ingest.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/crypto/digest_batch.h"
#include "storage/cas/chunker.h"
#include "storage/cas/codec.h"

namespace mlops::cas {
namespace {

// So many files get threads and batches enough that no stage waits for another.
constexpr std::size_t kFewFiles = 4;
constexpr std::size_t kRingBatches = 8;
constexpr std::size_t kRingBatchBytes = 1u << 20;
// Each of many files gets one batch.
constexpr std::size_t kLoneBatchBytes = 512u << 10;
static_assert(kLoneBatchBytes >= 2 * kChunkMaxBytes);

std::atomic<std::size_t> active_files{0};

class ActiveFile {
 public:
  ActiveFile() : is_one_of_few_(++active_files <= kFewFiles) {}
  ~ActiveFile() { --active_files; }
  ActiveFile(const ActiveFile&) = delete;
  ActiveFile& operator=(const ActiveFile&) = delete;
  bool is_one_of_few() const { return is_one_of_few_; }

 private:
  const bool is_one_of_few_;
};

struct PlainBatch {
  explicit PlainBatch(std::size_t size) : size_bytes(size) {}

  const std::size_t size_bytes;
  RawBytes raw;
  RawBytes encoded;
  std::vector<ByteView> pieces;      // of raw: the chunks, one behind the other
  std::vector<EncodedChunk> chunks;  // one for each piece, from the second stage on
};

// Fills `into` unless the stream ends or breaks off before, which `stream` tells; what came before that counts.
std::size_t fill(const StreamRead& read, std::span<std::uint8_t> into, Status& stream) {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto got = read(into.subspan(done));
    if (!got) stream = fail(got.error());
    if (!got || *got == 0) break;
    done += *got;
  }
  return done;
}

// First stage: cuts what is received; what is left behind the last cut begins the next batch.
class ReceiveStage {
 public:
  ReceiveStage(const StreamRead& read, RawBytes first) : read_(read), rest_(std::move(first)) {}

  // Of a stream that breaks off, whole chunks count.
  Status work(PlainBatch& batch) {
    batch.raw.resize(batch.size_bytes);
    batch.pieces.clear();
    std::memcpy(batch.raw.data(), rest_.data(), rest_.size());
    Status stream;
    const auto got = fill(read_, std::span(batch.raw).subspan(rest_.size()), stream);
    const ByteView bytes(batch.raw.data(), rest_.size() + got);
    is_at_end_ = bytes.size() < batch.raw.size();
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto size = cut_chunk(bytes.subspan(done));
      // A piece that ends where the bytes do may be longer, unless nothing follows.
      const bool is_open = done + size == bytes.size() && size < kChunkMaxBytes;
      if (is_open && !(is_at_end_ && stream)) break;
      batch.pieces.push_back(bytes.subspan(done, size));
      done += size;
    }
    rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end());
    return stream;
  }
  bool is_at_end() const { return is_at_end_; }

 private:
  const StreamRead& read_;
  RawBytes rest_;
  bool is_at_end_ = false;
};

// Second stage: digests of the chunks and of the whole file.
class HashStage {
 public:
  Status work(PlainBatch& batch) {
    batch.chunks.clear();
    for (const auto piece : batch.pieces) {
      batch.chunks.push_back({whole_.update_and_digest(piece), piece.size(), {Encoding::kRaw, piece}});
    }
    return {};
  }
  // REQUIRES: called once, after the last batch.
  crypto::Digest finish() { return whole_.finish(); }

 private:
  crypto::StreamHasher whole_;
};

// Third stage. What is known stays raw: it will not be stored, unless it is lost before the last stage.
class EncodeStage {
 public:
  EncodeStage(ContentStore& store, OwnerTag owner) : store_(store), owner_(owner) {}

  Status work(PlainBatch& batch) {
    batch.encoded.resize(batch.size_bytes + Encoder::kRoomBytes);
    std::size_t end = 0;
    for (auto& chunk : batch.chunks) {
      if (store_.packs().find({ObjectKind::kChunk, chunk.digest}, owner_)) continue;
      const auto room = std::span(batch.encoded).subspan(end, Encoder::kRoomBytes);
      chunk.encoded = encoder_.encode_to(chunk.encoded.bytes, room);
      if (chunk.encoded.bytes.data() == room.data()) end += chunk.encoded.bytes.size();
    }
    return {};
  }

 private:
  ContentStore& store_;
  const OwnerTag owner_;
  Encoder encoder_;
};

// What happens to each batch, stage by stage, and what is left at the end.
class Stages {
 public:
  enum Stage : std::size_t { kReceive, kHash, kEncode, kAppend, kCount };

  Stages(ContentStore& store, OwnerTag owner, const StreamRead& read, RawBytes first, Upload& upload)
      : receiving_(read, std::move(first)), encoding_(store, owner), upload_(upload) {}

  Status work(Stage stage, PlainBatch& batch) {
    switch (stage) {
      case kReceive:
        return receiving_.work(batch);
      case kHash:
        return hashing_.work(batch);
      case kEncode:
        return encoding_.work(batch);
      case kAppend:
        return upload_.add_chunks(batch.chunks);
      case kCount:
        break;
    }
    return {};
  }
  // Nothing more comes out of the first stage.
  bool is_at_end() const { return receiving_.is_at_end(); }
  crypto::Digest finish() { return hashing_.finish(); }

 private:
  ReceiveStage receiving_;
  HashStage hashing_;
  EncodeStage encoding_;
  Upload& upload_;
};

// Batches go round a ring through the stages in order; each stage has one thread.
class Ring {
 public:
  explicit Ring(Stages& stages) : stages_(stages) {
    for (std::size_t i = 0; i < kRingBatches; ++i) batches_.emplace_back(kRingBatchBytes);
  }

  // The first stage runs here. Its failure, `stream`, ends the file, but what came before it still goes through the
  // others; a failure of theirs is returned, and nothing more is done.
  // nullopt: the system gives no more threads; nothing has been done.
  std::optional<Status> run(Status& stream) {
    const bool is_running = start();
    while (is_running && stream && !stages_.is_at_end()) {
      auto* const batch = enter(Stages::kReceive);
      if (!batch) break;
      stream = stages_.work(Stages::kReceive, *batch);
      leave(Stages::kReceive);
    }
    end();
    for (auto& thread : threads_) thread.join();
    if (!is_running) return std::nullopt;
    return std::move(status_);
  }

 private:
  bool start() {
    try {
      for (std::size_t stage = Stages::kHash; stage < Stages::kCount; ++stage) {
        threads_.emplace_back([this, stage] { run_stage(static_cast<Stages::Stage>(stage)); });
      }
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  void run_stage(Stages::Stage stage) {
    while (auto* const batch = enter(stage)) {
      if (auto done = stages_.work(stage, *batch); !done) fail_with(std::move(done));
      leave(stage);
    }
  }

  // The stage's next batch; nullptr when there will be none.
  PlainBatch* enter(Stages::Stage stage) {
    std::unique_lock lock(mutex_);
    const auto& done = done_[stage];
    auto& ready = ready_[stage];
    if (stage == Stages::kReceive) {
      ready.wait(lock, [&] { return !status_ || done - done_.back() < batches_.size(); });
    } else {
      ready.wait(lock, [&] { return !status_ || done < done_[stage - 1] || is_ended(stage - 1); });
      if (done == done_[stage - 1]) return nullptr;
    }
    return status_ ? &batches_[done % batches_.size()] : nullptr;
  }
  void leave(Stages::Stage stage) {
    const std::lock_guard lock(mutex_);
    ++done_[stage];
    ready_[(stage + 1) % ready_.size()].notify_one();
    // The last batch of all: nobody will tell the stages behind again.
    if (has_ended_) notify_all();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    notify_all();
  }
  void fail_with(Status failure) {
    const std::lock_guard lock(mutex_);
    if (status_) status_ = std::move(failure);
    notify_all();
  }
  void notify_all() {
    for (auto& ready : ready_) ready.notify_one();
  }
  bool is_ended(std::size_t stage) const { return has_ended_ && done_[stage] == done_[Stages::kReceive]; }

  Stages& stages_;
  std::vector<std::thread> threads_;
  std::deque<PlainBatch> batches_;
  std::mutex mutex_;
  std::array<std::condition_variable, Stages::kCount> ready_;  // each waited for by its stage
  std::array<std::uint64_t, Stages::kCount> done_{};
  bool has_ended_ = false;
  Status status_;
};

// All stages by the caller's thread; `stream` as for a Ring.
Status run_alone(Stages& stages, Status& stream) {
  PlainBatch batch(kLoneBatchBytes);
  while (stream && !stages.is_at_end()) {
    stream = stages.work(Stages::kReceive, batch);
    for (const auto stage : {Stages::kHash, Stages::kEncode, Stages::kAppend}) MLOPS_TRY(stages.work(stage, batch));
  }
  return {};
}

// What one batch holds and may have more behind it.
Result<PlainReceived> receive_long(ContentStore& store, OwnerTag owner, const StreamRead& read, RawBytes first,
                                   const std::optional<crypto::Digest>& expected, Upload& upload) {
  const ActiveFile active;
  Stages stages(store, owner, read, std::move(first), upload);
  Status stream;
  std::optional<Status> done;
  if (active.is_one_of_few()) done = Ring(stages).run(stream);
  MLOPS_TRY(done ? std::move(*done) : run_alone(stages, stream));
  if (!stream) {
    (void)upload.keep();  // the stream's failure is the one to tell
    return fail(std::move(stream.error()));
  }
  MLOPS_ASSIGN(const auto file, upload.finish_as(stages.finish(), expected));
  return PlainReceived{file, upload.new_bytes()};
}

}  // namespace

Result<PlainReceived> receive_plain(ContentStore& store, OwnerTag owner, const StreamRead& read,
                                    const std::optional<crypto::Digest>& expected) {
  MLOPS_ASSIGN(auto upload, store.start_upload(owner));
  RawBytes first(kChunkMaxBytes);
  Status stream;
  const auto got = fill(read, first, stream);
  MLOPS_TRY(std::move(stream));
  if (got == first.size()) return receive_long(store, owner, read, std::move(first), expected, upload);
  MLOPS_TRY(upload.append(ByteView(first).first(got)));
  MLOPS_ASSIGN(const auto file, upload.finish(expected));
  return PlainReceived{file, upload.new_bytes()};
}

}  // namespace mlops::cas
