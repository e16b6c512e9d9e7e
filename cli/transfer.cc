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

HashingWriter::HashingWriter(Env& env, std::string target, std::string temporary, std::unique_ptr<WritableFile> file)
    : env_(&env),
      target_(std::move(target)),
      temporary_(std::move(temporary)),
      file_(std::move(file)),
      lane_(std::make_unique<HashLane>()) {}

Result<HashingWriter> HashingWriter::create(Env& env, const std::string& target) {
  static std::atomic<unsigned> counter{0};
  const auto temporary = fmt::format("{}.{}.{}.part", target, ::getpid(), counter++);
  MLOPS_ASSIGN(auto file, env.create_exclusive(temporary, 0644));
  return HashingWriter(env, target, temporary, std::move(file));
}

HashingWriter::~HashingWriter() {
  if (!file_) return;
  // Nothing more can be done about a file that cannot be closed or removed: its name tells what it is.
  (void)file_->close();
  (void)env_->remove(temporary_);
}

// The disk and the hash work side by side: this thread writes the piece that the lane's thread hashes.
Status HashingWriter::flush_piece() {
  if (piece_used_ == 0) return {};
  const ByteView piece(piece_.data(), piece_used_);
  lane_->submit(piece_used_);
  piece_used_ = 0;
  piece_ = {};
  return file_->append(piece);
}

Status HashingWriter::append(ByteView bytes) {
  while (!bytes.empty()) {
    if (piece_.empty()) piece_ = lane_->acquire();
    const auto take = std::min(bytes.size(), piece_.size() - piece_used_);
    std::memcpy(piece_.data() + piece_used_, bytes.data(), take);
    piece_used_ += take;
    written_bytes_ += take;
    bytes = bytes.subspan(take);
    if (piece_used_ == piece_.size()) MLOPS_TRY(flush_piece());
  }
  return {};
}

Status HashingWriter::commit(const crypto::Digest& expected) {
  MLOPS_TRY(flush_piece());
  const auto digest = lane_->finish();
  if (digest != expected) {
    return fail(ErrorCode::kCorrupt, "digest_mismatch",
                fmt::format("{}: received bytes have the digest {}, not {}", printable(target_), digest.to_string(),
                            expected.to_string()),
                "nothing was kept; pull again, and run `mlopsctl fsck` if it stays");
  }
  MLOPS_TRY(file_->sync());
  MLOPS_TRY(file_->close());
  MLOPS_TRY(env_->rename_replace(temporary_, target_));
  file_.reset();
  const auto folder = std::filesystem::path(target_).parent_path().string();
  return env_->sync_dir(folder.empty() ? "." : folder);
}

}  // namespace mlops::cli
