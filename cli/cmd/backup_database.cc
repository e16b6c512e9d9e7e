#include "cli/cmd/backup_database.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::cli {

DatabaseImage::DatabaseImage(const BackupFile& file, std::uint32_t chain, std::uint64_t before) : file_(file) {
  for (const auto& head : file.heads()) {
    if (head.type != BackupType::kDatabase || head.item != chain || head.at >= before) continue;
    for (std::uint64_t done = 0; done < head.size_bytes; done += kDatabaseBlockBytes) {
      const auto size = std::min<std::uint64_t>(kDatabaseBlockBytes, head.size_bytes - done);
      blocks_[(head.offset + done) / kDatabaseBlockBytes] = {head.payload_at() + done, static_cast<std::size_t>(size)};
    }
  }
}

Result<bool> DatabaseImage::holds(std::uint64_t offset, ByteView block) const {
  const auto found = blocks_.find(offset / kDatabaseBlockBytes);
  if (found == blocks_.end() || found->second.size_bytes != block.size()) return false;
  std::vector<std::uint8_t> here(block.size());
  MLOPS_TRY(file_.read_at(found->second.at, here));
  return std::equal(here.begin(), here.end(), block.begin());
}

Result<crypto::Digest> DatabaseImage::read(std::uint64_t size_bytes,
                                           const std::function<Status(ByteView)>& sink) const {
  crypto::Hasher hasher;
  std::vector<std::uint8_t> block;
  for (std::uint64_t offset = 0; offset < size_bytes; offset += kDatabaseBlockBytes) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kDatabaseBlockBytes, size_bytes - offset));
    const auto found = blocks_.find(offset / kDatabaseBlockBytes);
    if (found == blocks_.end() || found->second.size_bytes < wanted) {
      return fail(ErrorCode::kCorrupt, "backup_damaged",
                  fmt::format("{} lacks byte {} of the database", printable(file_.path()), offset));
    }
    block.resize(wanted);
    MLOPS_TRY(file_.read_at(found->second.at, block));
    hasher.update(ByteView(block));
    MLOPS_TRY(sink(block));
  }
  return hasher.finish();
}

std::optional<std::uint32_t> chain_to_continue(const BackupFile& file) {
  if (file.snapshots().empty()) return {};
  const auto& last = file.snapshots().back();
  if (file.next_number() >= last.chain + kChainSnapshots) return {};
  return last.chain;
}

}  // namespace mlops::cli
