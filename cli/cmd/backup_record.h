// Records of a backup file (docs/format/backup.md has the grammar): heads as bytes and back, and the document that ends
// a snapshot.
//
// Thread-safety: pure functions and values. Errors: kCorrupt "backup_damaged". Units: bytes, microseconds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

inline constexpr std::size_t kBackupAlign = 64;
inline constexpr std::size_t kBackupHeadBytes = 128;
// Of one record; what a writer gathers before it writes is much less.
inline constexpr std::uint64_t kBackupPayloadLimitBytes = 64u << 20;

enum class BackupType : std::uint8_t { kPack = 'P', kDatabase = 'D', kSnapshot = 'S' };

struct BackupHead {
  BackupType type = BackupType::kPack;
  std::uint32_t item = 0;        // pack: its id; database: the chain; snapshot: its number
  std::uint64_t at = 0;          // of this head in the file
  TimestampUs born_us = 0;       // pack: when it was begun; ids may come again, the two together do not
  std::uint64_t offset = 0;      // of the payload in the pack or database
  std::uint64_t size_bytes = 0;  // of the payload
  crypto::Digest digest;         // SHA-256 of the payload

  std::uint64_t payload_at() const { return at + kBackupHeadBytes; }
  // Where the next record begins.
  std::uint64_t end() const;
};

std::array<std::uint8_t, kBackupHeadBytes> backup_head_bytes(const BackupHead& head);
// nullopt: no head that was written for the place `at`.
std::optional<BackupHead> parse_backup_head(ByteView bytes, std::uint64_t at);

struct BackupPack {
  std::uint32_t id = 0;
  TimestampUs born_us = 0;
  std::uint64_t size_bytes = 0;
};

// One state of the server that the file can give back.
struct BackupSnapshot {
  std::uint32_t number = 0;
  std::string at;              // RFC 3339
  std::string server_version;  // and commit
  std::int64_t audit_entries = 0;
  std::string audit_head;   // hex
  std::uint32_t chain = 0;  // of database records: the snapshot that began it
  std::uint64_t database_bytes = 0;
  crypto::Digest database_digest;
  std::vector<BackupPack> packs;
  std::uint64_t damaged_places = 0;  // in the bytes that this run received
  std::uint64_t record_at = 0;       // not in the document

  std::uint64_t pack_bytes() const;
};

std::string snapshot_document(const BackupSnapshot& snapshot);
Result<BackupSnapshot> parse_snapshot(std::string_view document);

// "0000001a" and back; nullopt for anything else.
std::string pack_word(std::uint32_t id);
std::optional<std::uint32_t> pack_id_of(std::string_view word);

}  // namespace mlops::cli
