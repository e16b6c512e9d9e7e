#include "cli/transfer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>

#include "core/base/text.h"

namespace mlops::cli {

namespace {

// Below this a thread costs more than it saves: a directory of many small files is hashed in place.
constexpr std::size_t kWorthAThreadBytes = 256u << 10;

}  // namespace

HashLane::HashLane() = default;

HashLane::~HashLane() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::span<std::uint8_t> HashLane::acquire() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return submitted_ - hashed_ < kBuffers; });
  auto& buffer = buffers_[submitted_ % kBuffers];
  if (!buffer) buffer = std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);
  return {buffer.get(), kBufferBytes};
}

void HashLane::submit(std::size_t bytes) {
  if (!thread_.joinable()) {
    if (bytes < kWorthAThreadBytes) {
      hasher_.update(ByteView(buffers_[submitted_ % kBuffers].get(), bytes));
      ++submitted_;
      ++hashed_;
      return;
    }
    thread_ = std::thread([this] { run(); });
  }
  {
    const std::lock_guard lock(mutex_);
    sizes_[submitted_ % kBuffers] = bytes;
    ++submitted_;
  }
  changed_.notify_all();
}

crypto::Digest HashLane::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  return hasher_.finish();
}

void HashLane::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || hashed_ < submitted_; });
    if (hashed_ == submitted_) return;
    const auto slot = hashed_ % kBuffers;
    const ByteView bytes(buffers_[slot].get(), sizes_[slot]);
    lock.unlock();
    hasher_.update(bytes);
    lock.lock();
    ++hashed_;
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
  return FileDigest{reader.finish(), reader.size_bytes()};
}

}  // namespace mlops::cli
