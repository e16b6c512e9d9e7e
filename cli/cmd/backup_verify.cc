#include "cli/cmd/backup_verify.h"

#include <fmt/format.h>

#include "cli/cmd/backup_database.h"

namespace mlops::cli {
namespace {

std::string record_name(const BackupHead& head) {
  switch (head.type) {
    case BackupType::kPack:
      return fmt::format("pack {} from byte {}", pack_word(head.item), head.offset);
    case BackupType::kDatabase:
      return fmt::format("database of chain {} from byte {}", head.item, head.offset);
    case BackupType::kSnapshot:
      return fmt::format("snapshot {}", head.item);
  }
  return {};
}

Status check_record(const BackupFile& file, const BackupHead& head, std::vector<std::uint8_t>& payload,
                    BackupReport& report) {
  MLOPS_ASSIGN(const bool is_whole, file.read(head, payload));
  if (!is_whole) {
    report.damage.push_back({head.at, record_name(head) + " does not have its SHA-256"});
    return {};
  }
  if (head.type != BackupType::kPack) return {};
  const BackupPack pack{head.item, head.born_us, 0};
  for (const auto& gap : scan_pack(pack, head.offset, payload, PackPart::kLast).gaps) {
    report.came_damaged.push_back({head.payload_at() + (gap.offset - head.offset),
                                   fmt::format("pack {} has no whole frame from byte {} to {}", pack_word(head.item),
                                               gap.offset, gap.offset + gap.size_bytes)});
  }
  return {};
}

Status check_database(const BackupFile& file, const BackupSnapshot& snapshot, BackupReport& report) {
  const DatabaseImage image(file, snapshot.chain, snapshot.record_at);
  const auto digest = image.read(snapshot.database_bytes, [](ByteView) { return Status{}; });
  if (!digest && digest.error().slug != "backup_damaged") return fail(digest.error());
  if (digest && *digest == snapshot.database_digest) return {};
  report.damage.push_back({snapshot.record_at, fmt::format("snapshot {}: its database {}", snapshot.number,
                                                           digest ? "does not have its SHA-256" : "is not complete")});
  return {};
}

}  // namespace

std::vector<BackupDamage> holes_of(const BackupFile& file, const BackupSnapshot& snapshot) {
  std::vector<BackupDamage> holes;
  for (const auto& pack : snapshot.packs) {
    std::uint64_t end = 0;
    for (const auto& head : file.parts_of(snapshot, pack)) {
      if (head.offset == end) end += head.size_bytes;
    }
    if (end >= pack.size_bytes) continue;
    holes.push_back({snapshot.record_at, fmt::format("snapshot {}: pack {} lacks bytes from {} on", snapshot.number,
                                                     pack_word(pack.id), end)});
  }
  return holes;
}

Result<BackupReport> verify_backup(const BackupFile& file, const std::function<void(std::uint64_t)>& progress) {
  BackupReport report;
  report.damage = file.damage();
  report.unfinished_bytes = file.size_bytes() - file.finished_bytes();
  std::vector<std::uint8_t> payload;
  for (const auto& head : file.heads()) {
    if (head.at >= file.finished_bytes()) break;
    MLOPS_TRY(check_record(file, head, payload, report));
    ++report.records;
    if (progress) progress(head.end());
  }
  for (const auto& snapshot : file.snapshots()) {
    const auto holes = holes_of(file, snapshot);
    report.damage.insert(report.damage.end(), holes.begin(), holes.end());
    MLOPS_TRY(check_database(file, snapshot, report));
  }
  return report;
}

}  // namespace mlops::cli
