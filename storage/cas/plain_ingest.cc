#include "storage/cas/plain_ingest.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/cas/chunker.h"
#include "storage/cas/codec.h"

namespace mlops::cas {
namespace {

// Few files get more and larger batches, so that no stage waits for another; many share the memory.
constexpr std::size_t kFewFiles = 4;
struct RingSize {
  std::size_t batches;
  std::size_t batch_bytes;
};
constexpr RingSize kRingOfFew{8, 1u << 20};
constexpr RingSize kRingOfMany{2, 512u << 10};
static_assert(kRingOfMany.batch_bytes >= 2 * kChunkMaxBytes);

std::atomic<std::size_t> active_files{0};

class ActiveFile {
 public:
  ActiveFile() : ring_(++active_files <= kFewFiles ? kRingOfFew : kRingOfMany) {}
  ~ActiveFile() { --active_files; }
  const RingSize& ring() const { return ring_; }

 private:
  const RingSize ring_;
};

struct PlainBatch {
  RawBytes raw;
  std::vector<std::size_t> sizes;  // of the chunks, one behind the other from the start of raw
  RawBytes encoded;
  std::vector<EncodedChunk> chunks;
};

// Batches go round a ring through the stages in order; each stage has one thread.
class Ring {
 public:
  enum Stage : std::size_t { kReceive, kEncode, kStore, kStages };

  explicit Ring(const RingSize& size) : batch_bytes_(size.batch_bytes), batches_(size.batches) {}

  std::size_t batch_bytes() const { return batch_bytes_; }

  // The stage's next batch; nullptr when there will be none.
  PlainBatch* enter(Stage stage) {
    std::unique_lock lock(mutex_);
    auto& done = done_[stage];
    if (stage == kReceive) {
      changed_.wait(lock, [&] { return failure_ || done - done_[kStore] < batches_.size(); });
    } else {
      changed_.wait(lock, [&] { return failure_ || done < done_[stage - 1] || is_ended(stage - 1); });
      if (done == done_[stage - 1]) return nullptr;
    }
    return failure_ ? nullptr : &batches_[done % batches_.size()];
  }
  void leave(Stage stage) {
    const std::lock_guard lock(mutex_);
    ++done_[stage];
    changed_.notify_all();
  }
  // Nothing more comes out of the first stage.
  void end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    changed_.notify_all();
  }
  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
    changed_.notify_all();
  }
  std::optional<Error> failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  bool is_ended(std::size_t stage) const { return has_ended_ && done_[stage] == done_[kReceive]; }

  const std::size_t batch_bytes_;
  std::vector<PlainBatch> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<std::uint64_t, kStages> done_{};
  bool has_ended_ = false;
  std::optional<Error> failure_;
};

// Fills `into` unless the stream ends before.
Result<std::size_t> fill(const StreamRead& read, std::span<std::uint8_t> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    MLOPS_ASSIGN(const std::size_t got, read(into.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

// Cuts what is received; what is left behind the last cut begins the next batch.
class Receiver {
 public:
  Receiver(const StreamRead& read, Ring& ring, RawBytes first) : read_(read), ring_(ring), rest_(std::move(first)) {}

  Status run() {
    bool is_at_end = false;
    while (!is_at_end) {
      auto* const batch = ring_.enter(Ring::kReceive);
      if (!batch) return {};  // the failure is the ring's
      batch->raw.resize(ring_.batch_bytes());
      batch->sizes.clear();
      std::memcpy(batch->raw.data(), rest_.data(), rest_.size());
      auto got = fill(read_, std::span(batch->raw).subspan(rest_.size()));
      // Of a stream that breaks off, whole chunks count.
      is_at_end = !got || rest_.size() + *got < batch->raw.size();
      const ByteView bytes(batch->raw.data(), rest_.size() + (got ? *got : 0));
      const std::size_t least = is_at_end && got ? 1 : kChunkMaxBytes;
      std::size_t done = 0;
      while (bytes.size() - done >= least) {
        batch->sizes.push_back(cut_chunk(bytes.subspan(done)));
        done += batch->sizes.back();
      }
      rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end());
      ring_.leave(Ring::kReceive);
      if (!got) return fail(std::move(got.error()));
    }
    return {};
  }

 private:
  const StreamRead& read_;
  Ring& ring_;
  RawBytes rest_;
};

void encode_batches(Ring& ring) {
  Encoder encoder;
  while (auto* const batch = ring.enter(Ring::kEncode)) {
    batch->chunks.clear();
    batch->encoded.resize(ring.batch_bytes() + Encoder::kRoomBytes);
    std::size_t begin = 0;
    std::size_t end = 0;
    for (const auto size : batch->sizes) {
      const auto raw = ByteView(batch->raw).subspan(begin, size);
      begin += size;
      const auto room = std::span(batch->encoded).subspan(end, Encoder::kRoomBytes);
      const auto encoded = encoder.encode_to(raw, room);
      if (encoded.bytes.data() == room.data()) end += encoded.bytes.size();
      batch->chunks.push_back({raw, encoded});
    }
    ring.leave(Ring::kEncode);
  }
}

void store_batches(Upload& upload, Ring& ring) {
  while (auto* const batch = ring.enter(Ring::kStore)) {
    if (auto added = upload.add_chunks(batch->chunks); !added) ring.fail(std::move(added.error()));
    ring.leave(Ring::kStore);
  }
}

// What one batch holds and may have more behind it.
Result<PlainReceived> receive_long(Upload& upload, const StreamRead& read, RawBytes first,
                                   const std::optional<crypto::Digest>& expected) {
  const ActiveFile active;
  Ring ring(active.ring());
  std::thread encoding([&] { encode_batches(ring); });
  std::thread storing([&] { store_batches(upload, ring); });
  auto status = Receiver(read, ring, std::move(first)).run();
  ring.end();
  encoding.join();
  storing.join();
  if (auto failure = ring.failure()) return fail(std::move(*failure));
  if (!status) {
    (void)upload.keep();  // the stream's failure is the one to tell
    return fail(std::move(status.error()));
  }
  MLOPS_ASSIGN(const auto file, upload.finish(expected));
  return PlainReceived{file, upload.new_bytes()};
}

}  // namespace

Result<PlainReceived> receive_plain(ContentStore& store, OwnerTag owner, const StreamRead& read,
                                    const std::optional<crypto::Digest>& expected) {
  MLOPS_ASSIGN(auto upload, store.start_upload(owner));
  RawBytes first(kChunkMaxBytes);
  MLOPS_ASSIGN(const auto got, fill(read, first));
  if (got == first.size()) return receive_long(upload, read, std::move(first), expected);
  MLOPS_TRY(upload.append(ByteView(first).first(got)));
  MLOPS_ASSIGN(const auto file, upload.finish(expected));
  return PlainReceived{file, upload.new_bytes()};
}

}  // namespace mlops::cas
