#include "cli/cmd/backup_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/cmd/pack_scan.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

Failure io_failure(const std::string& path) {
  return fail(ErrorCode::kUnavailable, "io_error", fmt::format("{}: {}", printable(path), std::strerror(errno)));
}

Status make_when_absent(Env& env, const std::string& path) {
  auto made = env.create_exclusive(path, 0600);
  if (!made) return made.error().code == ErrorCode::kAlreadyExists ? Status{} : fail(std::move(made.error()));
  MLOPS_TRY((*made)->close());
  const auto folder = std::filesystem::path(path).parent_path().string();
  return env.sync_dir(folder.empty() ? "." : folder);
}

}  // namespace

BackupWriter::Lock::~Lock() {
  if (fd >= 0) ::close(fd);
}

BackupWriter::BackupWriter(Env& env, std::string path, std::unique_ptr<Lock> lock)
    : env_(&env), path_(std::move(path)), lock_(std::move(lock)) {}

Result<BackupWriter> BackupWriter::open(Env& env, const std::string& path) {
  MLOPS_TRY(make_when_absent(env, path));
  // O_NONBLOCK: a FIFO in place of the file must not hang the opener.
  auto lock = std::make_unique<Lock>(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (lock->fd < 0) return io_failure(path);
  if (::flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::kUnavailable, "backup_in_use", fmt::format("another mlopsctl writes to {}", printable(path)),
                "wait until it is done");
  }
  BackupWriter writer(env, path, std::move(lock));
  MLOPS_TRY(writer.load());
  return writer;
}

Status BackupWriter::load() {
  MLOPS_ASSIGN(auto file, BackupFile::open(*env_, path_));
  file_ = std::make_unique<BackupFile>(std::move(file));
  if (!file_->damage().empty()) {
    const auto& first = file_->damage().front();
    return fail(ErrorCode::kCorrupt, "backup_damaged",
                fmt::format("{} is damaged at byte {}: {}", printable(path_), first.at, first.what),
                "keep it (mlopsctl restore --salvage reads what is whole) and back up to a new file");
  }
  MLOPS_ASSIGN(const auto usable, usable_bytes());
  return cut(usable);
}

// Of an interrupted run: pack bytes as long as they are whole, one behind the other.
Result<std::uint64_t> BackupWriter::usable_bytes() const {
  auto end = file_->finished_bytes();
  std::vector<std::uint8_t> payload;
  for (const auto& head : file_->unfinished()) {
    if (head.type != BackupType::kPack) break;
    MLOPS_ASSIGN(const bool is_whole, file_->read(head, payload));
    // A run asks again for what is not all frames, but may have been interrupted before it did.
    const BackupPack pack{head.item, head.born_us, 0};
    if (!is_whole || !scan_pack(pack, head.offset, payload, PackPart::kLast).gaps.empty()) break;
    end = head.end();
  }
  return end;
}

Status BackupWriter::drop_unfinished() {
  return cut(file_->finished_bytes());
}

Status BackupWriter::cut(std::uint64_t size_bytes) {
  if (size_bytes < file_->size_bytes()) {
    out_.reset();
    if (::ftruncate(lock_->fd, static_cast<off_t>(size_bytes)) != 0 || ::fsync(lock_->fd) != 0)
      return io_failure(path_);
    MLOPS_ASSIGN(auto file, BackupFile::open(*env_, path_));
    file_ = std::make_unique<BackupFile>(std::move(file));
  }
  size_bytes_ = file_->size_bytes();
  MLOPS_ASSIGN(out_, env_->open_append(path_));
  return {};
}

Status BackupWriter::append(BackupHead head, ByteView payload) {
  constexpr std::array<std::uint8_t, kBackupAlign> kZeros{};
  if (payload.size() > kBackupPayloadLimitBytes) {
    return fail(ErrorCode::kExhausted, "record_too_large", "a record of a backup would be too large");
  }
  head.at = size_bytes_;
  head.size_bytes = payload.size();
  head.digest = crypto::sha256(payload);
  const auto padding = head.end() - head.payload_at() - payload.size();
  MLOPS_TRY(out_->append(backup_head_bytes(head)));
  MLOPS_TRY(out_->append(payload));
  if (padding > 0) MLOPS_TRY(out_->append(ByteView(kZeros).first(padding)));
  size_bytes_ = head.end();
  return {};
}

Status BackupWriter::end_snapshot(const BackupSnapshot& snapshot) {
  BackupHead head;
  head.type = BackupType::kSnapshot;
  head.item = snapshot.number;
  const auto document = snapshot_document(snapshot);
  // First everything it speaks of, then the word that it is there.
  auto written = out_->sync();
  if (written) written = append(head, as_bytes(document));
  if (written) written = out_->sync();
  // After a failed sync the page cache may show what the disk does not have: the next run must not build on it.
  if (!written) (void)cut(file_->finished_bytes());
  return written;
}

}  // namespace mlops::cli
