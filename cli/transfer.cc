#include "cli/transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::cli {

namespace {

// Below this a thread costs more than it saves: a directory of many small files is hashed in place.
constexpr std::size_t kWorthAThreadBytes = 256u << 10;

}  // namespace

PieceLane::PieceLane(std::vector<Work> works) : workers_(works.size()) {
  for (std::size_t i = 0; i < works.size(); ++i) workers_[i].work = std::move(works[i]);
}

PieceLane::~PieceLane() {
  finish();
}

void PieceLane::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (auto& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

std::uint64_t PieceLane::done_by_all() const {
  std::uint64_t least = submitted_;
  for (const auto& worker : workers_) least = std::min(least, worker.done);
  return least;
}

std::span<std::uint8_t> PieceLane::acquire() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return submitted_ - done_by_all() < kBuffers; });
  auto& buffer = buffers_[submitted_ % kBuffers];
  if (!buffer) buffer = std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);
  return {buffer.get(), kBufferBytes};
}

void PieceLane::submit(std::size_t bytes) {
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

void PieceLane::run(Worker& worker) {
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

Result<FileDigest> hash_file(Env& env, const std::string& path, const std::function<void(std::uint64_t)>& progress) {
  MLOPS_ASSIGN(const auto file, env.open_readable(path));
  crypto::Hasher hasher;
  PieceLane lane({[&hasher](ByteView bytes) { hasher.update(bytes); }});
  std::uint64_t done_bytes = 0;
  while (done_bytes < file->size_bytes()) {
    const auto buffer = lane.acquire();
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), file->size_bytes() - done_bytes));
    MLOPS_ASSIGN(const auto got, file->read_at(done_bytes, buffer.first(wanted)));
    if (got != wanted) {
      return fail(ErrorCode::kConflict, "file_changed", fmt::format("{} shrank while it was read", printable(path)),
                  "register a file that nobody is writing to");
    }
    lane.submit(got);
    done_bytes += got;
    if (progress) progress(done_bytes);
  }
  lane.finish();
  return FileDigest{hasher.finish(), done_bytes};
}

}  // namespace mlops::cli
