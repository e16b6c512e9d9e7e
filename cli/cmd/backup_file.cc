#include "cli/cmd/backup_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kSearchBytes = 4u << 20;

Failure not_a_backup(const std::string& path) {
  return fail(ErrorCode::kInvalid, "not_a_backup", fmt::format("{} is not a backup file", printable(path)),
              "name another file; this one is left as it is");
}

}  // namespace

BackupFile::BackupFile(std::string path, std::unique_ptr<ReadableFile> file)
    : path_(std::move(path)), file_(std::move(file)), size_bytes_(file_->size_bytes()) {}

Result<BackupFile> BackupFile::open(Env& env, const std::string& path) {
  MLOPS_ASSIGN(auto opened, env.open_readable(path));
  BackupFile file(path, std::move(opened));
  MLOPS_TRY(file.walk());
  return file;
}

Status BackupFile::read_at(std::uint64_t offset, std::span<std::uint8_t> into) const {
  MLOPS_ASSIGN(const auto got, file_->read_at(offset, into));
  if (got == into.size()) return {};
  return fail(ErrorCode::kCorrupt, "backup_damaged", fmt::format("{} is shorter than it was", printable(path_)));
}

Result<std::optional<BackupHead>> BackupFile::head_at(std::uint64_t at) const {
  std::array<std::uint8_t, kBackupHeadBytes> bytes{};
  MLOPS_ASSIGN(const auto got, file_->read_at(at, bytes));
  return parse_backup_head(ByteView(bytes).first(got), at);
}

Result<std::optional<std::uint64_t>> BackupFile::next_head(std::uint64_t from) const {
  if (from >= size_bytes_) return std::optional<std::uint64_t>();
  std::vector<std::uint8_t> window(std::min<std::uint64_t>(kSearchBytes, size_bytes_ - from) + kBackupHeadBytes);
  for (auto at = from; at < size_bytes_; at += kSearchBytes) {
    MLOPS_ASSIGN(const auto got, file_->read_at(at, window));
    for (std::size_t i = 0; i < std::min(got, kSearchBytes); i += kBackupAlign) {
      if (parse_backup_head(ByteView(window).first(got).subspan(i), at + i)) return std::optional(at + i);
    }
  }
  return std::optional<std::uint64_t>();
}

Status BackupFile::walk() {
  std::vector<BackupDamage> found;
  std::uint64_t at = 0;
  bool is_broken = false;
  while (at < size_bytes_) {
    MLOPS_ASSIGN(const auto head, head_at(at));
    // A record that the file ends in is an interrupted write.
    if (head && head->end() > size_bytes_) break;
    if (!head) {
      MLOPS_ASSIGN(const auto next, next_head(at + kBackupAlign));
      if (!next) break;
      found.push_back({at, fmt::format("{} bytes are no record", *next - at)});
      is_broken = true;
      at = *next;
      continue;
    }
    const auto snapshots_before = snapshots_.size();
    MLOPS_TRY(take(*head));
    at = head->end();
    if (snapshots_.size() > snapshots_before) {
      finished_bytes_ = row_end_ = at;
      is_broken = false;
      damage_.insert(damage_.end(), found.begin(), found.end());
      found.clear();
    } else if (head->type == BackupType::kSnapshot) {
      found.push_back({head->at, "a snapshot's description does not have its SHA-256"});
      is_broken = true;
    } else if (!is_broken) {
      row_end_ = at;
    }
  }
  return check_kind();
}

// Not one whole record: the first run was interrupted in the middle of it, or this is something else.
Status BackupFile::check_kind() const {
  if (!heads_.empty() || size_bytes_ == 0) return {};
  const auto magic = backup_head_bytes({});
  std::array<std::uint8_t, 8> begin{};
  MLOPS_ASSIGN(const auto got, file_->read_at(0, begin));
  if (std::equal(begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(got), magic.begin())) return {};
  return not_a_backup(path_);
}

Status BackupFile::take(const BackupHead& head) {
  heads_.push_back(head);
  if (head.type == BackupType::kSnapshot) return take_snapshot(head);
  if (head.type == BackupType::kPack) parts_[{head.item, head.born_us}].push_back(heads_.size() - 1);
  return {};
}

Status BackupFile::take_snapshot(const BackupHead& head) {
  last_number_ = std::max(last_number_, head.item);
  std::vector<std::uint8_t> payload;
  MLOPS_ASSIGN(const bool is_whole, read(head, payload));
  if (!is_whole) return {};
  auto snapshot = parse_snapshot({reinterpret_cast<const char*>(payload.data()), payload.size()});
  if (!snapshot) return fail(std::move(snapshot.error()));
  snapshot->record_at = head.at;
  snapshots_.push_back(std::move(*snapshot));
  return {};
}

std::vector<BackupHead> BackupFile::unfinished() const {
  std::vector<BackupHead> out;
  for (const auto& head : heads_) {
    if (head.at >= finished_bytes_ && head.end() <= row_end_) out.push_back(head);
  }
  return out;
}

const BackupSnapshot* BackupFile::find(std::uint32_t number) const {
  const auto found = std::find_if(snapshots_.begin(), snapshots_.end(),
                                  [number](const BackupSnapshot& snapshot) { return snapshot.number == number; });
  return found == snapshots_.end() ? nullptr : &*found;
}

std::vector<BackupHead> BackupFile::parts_of(const BackupSnapshot& snapshot, const BackupPack& pack) const {
  std::vector<BackupHead> out;
  const auto found = parts_.find({pack.id, pack.born_us});
  if (found == parts_.end()) return out;
  for (const auto index : found->second) {
    const auto& head = heads_[index];
    if (head.offset < pack.size_bytes && head.at < snapshot.record_at) out.push_back(head);
  }
  return out;
}

std::vector<BackupHead> BackupFile::parts_held(std::uint32_t id, TimestampUs born_us) const {
  std::vector<BackupHead> out;
  const auto found = parts_.find({id, born_us});
  if (found == parts_.end()) return out;
  std::uint64_t held = 0;
  for (const auto index : found->second) {
    if (heads_[index].offset != held) break;
    held += heads_[index].size_bytes;
    out.push_back(heads_[index]);
  }
  return out;
}

std::uint64_t BackupFile::held_bytes(std::uint32_t id, TimestampUs born_us) const {
  const auto parts = parts_held(id, born_us);
  return parts.empty() ? 0 : parts.back().offset + parts.back().size_bytes;
}

Result<bool> BackupFile::read(const BackupHead& head, std::vector<std::uint8_t>& payload) const {
  payload.resize(head.end() - head.payload_at());
  MLOPS_TRY(read_at(head.payload_at(), payload));
  const bool is_padded = std::all_of(payload.begin() + static_cast<std::ptrdiff_t>(head.size_bytes), payload.end(),
                                     [](std::uint8_t byte) { return byte == 0; });
  payload.resize(head.size_bytes);
  return is_padded && crypto::sha256(ByteView(payload)) == head.digest;
}

}  // namespace mlops::cli
