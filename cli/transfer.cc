#include "cli/transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::cli {

namespace {

// Below this a thread costs more than it saves: a directory of many small files is hashed in place.
constexpr std::size_t kWorthAThreadBytes = 256u << 10;

}  // namespace

HashLane::HashLane(WritableFile* file) : file_(file) {
  workers_.emplace_back();
  workers_.back().work = [this](ByteView bytes) { hasher_.update(bytes); };
  if (!file_) return;
  workers_.emplace_back();
  workers_.back().work = [this](ByteView bytes) { write(bytes); };
}

HashLane::~HashLane() {
  close();
}

void HashLane::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (auto& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

void HashLane::write(ByteView bytes) {
  if (written_) written_ = file_->append(bytes);
}

std::uint64_t HashLane::done_by_all() const {
  std::uint64_t least = submitted_;
  for (const auto& worker : workers_) least = std::min(least, worker.done);
  return least;
}

std::span<std::uint8_t> HashLane::acquire() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return submitted_ - done_by_all() < kBuffers; });
  auto& buffer = buffers_[submitted_ % kBuffers];
  if (!buffer) buffer = std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);
  return {buffer.get(), kBufferBytes};
}

void HashLane::submit(std::size_t bytes) {
  if (!workers_.front().thread.joinable()) {
    if (bytes < kWorthAThreadBytes) {
      const ByteView all(buffers_[submitted_ % kBuffers].get(), bytes);
      ++submitted_;
      for (auto& worker : workers_) {
        worker.work(all);
        ++worker.done;
      }
      return;
    }
    for (auto& worker : workers_) worker.thread = std::thread([this, &worker] { run(worker); });
  }
  {
    const std::lock_guard lock(mutex_);
    sizes_[submitted_ % kBuffers] = bytes;
    ++submitted_;
  }
  changed_.notify_all();
}

Result<crypto::Digest> HashLane::finish() {
  close();
  MLOPS_TRY(std::move(written_));
  return hasher_.finish();
}

void HashLane::run(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return closed_ || worker.done < submitted_; });
    if (worker.done == submitted_) return;
    const auto slot = worker.done % kBuffers;
    const ByteView bytes(buffers_[slot].get(), sizes_[slot]);
    lock.unlock();
    worker.work(bytes);
    lock.lock();
    ++worker.done;
    changed_.notify_all();
  }
}

HashingReader::HashingReader(std::unique_ptr<ReadableFile> file, std::string path)
    : file_(std::move(file)),
      path_(std::move(path)),
      size_bytes_(file_->size_bytes()),
      lane_(std::make_unique<HashLane>()) {}

Result<HashingReader> HashingReader::open(Env& env, const std::string& path) {
  MLOPS_ASSIGN(auto file, env.open_readable(path));
  return HashingReader(std::move(file), path);
}

Result<ByteView> HashingReader::next() {
  if (offset_ == size_bytes_) return ByteView();
  const auto buffer = lane_->acquire();
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_bytes_ - offset_));
  MLOPS_ASSIGN(const auto got, file_->read_at(offset_, buffer.first(wanted)));
  if (got != wanted) {
    return fail(ErrorCode::kConflict, "file_changed", fmt::format("{} shrank while it was read", printable(path_)),
                "register a file that nobody is writing to");
  }
  lane_->submit(got);
  offset_ += got;
  return ByteView(buffer.data(), got);
}

Result<FileDigest> hash_file(Env& env, const std::string& path, const std::function<void(std::uint64_t)>& progress) {
  MLOPS_ASSIGN(auto reader, HashingReader::open(env, path));
  std::uint64_t done_bytes = 0;
  while (true) {
    MLOPS_ASSIGN(const auto piece, reader.next());
    if (piece.empty()) break;
    done_bytes += piece.size();
    if (progress) progress(done_bytes);
  }
  MLOPS_ASSIGN(const auto digest, reader.finish());
  return FileDigest{digest, reader.size_bytes()};
}

}  // namespace mlops::cli
