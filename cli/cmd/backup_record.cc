#include "cli/cmd/backup_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/checksum.h"
#include "storage/cas/little_endian.h"

namespace mlops::cli {
namespace {

using cas::load_le;
using cas::store_le;

// Head:  0 magic[8] | 8 type u8 | 9 zero[3] | 12 item u32 | 16 at u64 | 24 born_us u64 | 32 offset u64 | 40 size u64 |
//        48 sha256[32] | 80 zero[40] | 120 checksum u64 over bytes 0..119
constexpr std::array<std::uint8_t, 8> kMagic{'M', 'L', 'B', 'K', 'U', 'P', '1', '\n'};
constexpr std::size_t kChecksumAt = 120;
constexpr std::int64_t kFormat = 1;
// A document names every pack: some eighty bytes each.
constexpr JsonLimits kDocumentLimits{.size_bytes = kBackupPayloadLimitBytes, .depth = 8, .nodes = 8'000'000};
constexpr std::int64_t kAnyNumber = std::int64_t{1} << 62;

bool is_type(std::uint8_t byte) {
  constexpr BackupType kTypes[] = {BackupType::kPack, BackupType::kDatabase, BackupType::kSnapshot};
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [byte](BackupType type) { return static_cast<std::uint8_t>(type) == byte; });
}

Failure bad_document(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "backup_damaged", fmt::format("a snapshot's description is damaged: {}", what));
}

Result<std::uint64_t> number_of(const Json& object, const std::string& key) {
  MLOPS_ASSIGN(const auto value, optional_int(object, key, -1, 0, kAnyNumber));
  if (value < 0) return bad_document(key);
  return static_cast<std::uint64_t>(value);
}

Result<Json> object_of(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object()) return bad_document(key);
  return *found;
}

Result<BackupPack> parse_pack(const Json& value) {
  if (!value.is_object()) return bad_document("packs");
  MLOPS_ASSIGN(const auto word, require_string(value, "id"));
  const auto id = pack_id_of(word);
  if (!id) return bad_document("a pack's id");
  MLOPS_ASSIGN(const auto born, require_string(value, "created_at"));
  MLOPS_ASSIGN(const auto born_us, parse_rfc3339(born));
  MLOPS_ASSIGN(const auto size_bytes, number_of(value, "size_bytes"));
  return BackupPack{*id, born_us, size_bytes};
}

Result<BackupSnapshot> parse_members(const Json& document) {
  BackupSnapshot out;
  MLOPS_ASSIGN(const auto format, number_of(document, "format"));
  if (format != kFormat) {
    return fail(ErrorCode::kInvalid, "backup_too_new", fmt::format("the snapshot is of format {}", format),
                "restore it with the mlopsctl that is as new as the one that made it");
  }
  MLOPS_ASSIGN(const auto number, number_of(document, "number"));
  out.number = static_cast<std::uint32_t>(number);
  MLOPS_ASSIGN(out.at, require_string(document, "at"));
  MLOPS_ASSIGN(out.server_version, require_string(document, "server"));
  MLOPS_ASSIGN(const auto audit, object_of(document, "audit"));
  MLOPS_ASSIGN(const auto entries, number_of(audit, "entries"));
  out.audit_entries = static_cast<std::int64_t>(entries);
  MLOPS_ASSIGN(out.audit_head, require_string(audit, "head"));
  MLOPS_ASSIGN(const auto database, object_of(document, "database"));
  MLOPS_ASSIGN(const auto chain, number_of(database, "chain"));
  out.chain = static_cast<std::uint32_t>(chain);
  MLOPS_ASSIGN(out.database_bytes, number_of(database, "size_bytes"));
  MLOPS_ASSIGN(const auto digest, require_string(database, "digest"));
  MLOPS_ASSIGN(out.database_digest, crypto::Digest::parse(digest));
  MLOPS_ASSIGN(out.damaged_places, number_of(document, "damaged_places"));
  const auto packs = document.find("packs");
  if (packs == document.end() || !packs->is_array()) return bad_document("packs");
  for (const auto& value : *packs) {
    MLOPS_ASSIGN(const auto pack, parse_pack(value));
    out.packs.push_back(pack);
  }
  return out;
}

}  // namespace

std::uint64_t BackupHead::end() const {
  return (payload_at() + size_bytes + kBackupAlign - 1) / kBackupAlign * kBackupAlign;
}

std::array<std::uint8_t, kBackupHeadBytes> backup_head_bytes(const BackupHead& head) {
  std::array<std::uint8_t, kBackupHeadBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  bytes[8] = static_cast<std::uint8_t>(head.type);
  store_le(bytes.data() + 12, head.item);
  store_le(bytes.data() + 16, head.at);
  store_le(bytes.data() + 24, static_cast<std::uint64_t>(head.born_us));
  store_le(bytes.data() + 32, head.offset);
  store_le(bytes.data() + 40, head.size_bytes);
  std::memcpy(bytes.data() + 48, head.digest.bytes().data(), 32);
  store_le(bytes.data() + kChecksumAt, xxh3_64(ByteView(bytes).first(kChecksumAt)));
  return bytes;
}

std::optional<BackupHead> parse_backup_head(ByteView bytes, std::uint64_t at) {
  if (bytes.size() < kBackupHeadBytes || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return {};
  if (load_le<std::uint64_t>(bytes.data() + kChecksumAt) != xxh3_64(bytes.first(kChecksumAt))) return {};
  BackupHead head;
  head.at = load_le<std::uint64_t>(bytes.data() + 16);
  head.size_bytes = load_le<std::uint64_t>(bytes.data() + 40);
  if (!is_type(bytes[8]) || head.at != at || head.size_bytes > kBackupPayloadLimitBytes) return {};
  head.type = static_cast<BackupType>(bytes[8]);
  head.item = load_le<std::uint32_t>(bytes.data() + 12);
  head.born_us = static_cast<TimestampUs>(load_le<std::uint64_t>(bytes.data() + 24));
  head.offset = load_le<std::uint64_t>(bytes.data() + 32);
  std::array<std::uint8_t, 32> digest;
  std::memcpy(digest.data(), bytes.data() + 48, digest.size());
  head.digest = crypto::Digest(digest);
  return head;
}

std::uint64_t BackupSnapshot::pack_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& pack : packs) sum += pack.size_bytes;
  return sum;
}

std::string snapshot_document(const BackupSnapshot& snapshot) {
  Json packs = Json::array();
  for (const auto& pack : snapshot.packs) {
    packs.push_back(
        {{"id", pack_word(pack.id)}, {"created_at", format_rfc3339(pack.born_us)}, {"size_bytes", pack.size_bytes}});
  }
  return canonical_dump({{"format", kFormat},
                         {"number", snapshot.number},
                         {"at", snapshot.at},
                         {"server", snapshot.server_version},
                         {"audit", {{"entries", snapshot.audit_entries}, {"head", snapshot.audit_head}}},
                         {"database",
                          {{"chain", snapshot.chain},
                           {"size_bytes", snapshot.database_bytes},
                           {"digest", snapshot.database_digest.to_string()}}},
                         {"packs", std::move(packs)},
                         {"damaged_places", snapshot.damaged_places}});
}

Result<BackupSnapshot> parse_snapshot(std::string_view document) {
  auto parsed = parse_json(document, kDocumentLimits);
  if (!parsed || !parsed->is_object()) return bad_document("not a JSON object");
  auto snapshot = parse_members(*parsed);
  if (snapshot || snapshot.error().slug == "backup_too_new") return snapshot;
  return bad_document(snapshot.error().message);
}

std::string pack_word(std::uint32_t id) {
  return fmt::format("{:08x}", id);
}

std::optional<std::uint32_t> pack_id_of(std::string_view word) {
  if (word.size() != 8) return {};
  std::uint32_t id = 0;
  for (const char c : word) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && !(c >= 'a' && c <= 'f')) return {};
    id = id * 16 + static_cast<std::uint32_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return id;
}

}  // namespace mlops::cli
