// A backup file as it is read: its records by their heads, the snapshots that are whole, what lies where.
//
//   record … record snapshot  record … record snapshot  record … torn
//   └───── part of every later snapshot ─────┘          └ unfinished ┘
//
// A snapshot is there when its own record is whole; the writer made everything before it durable first. What follows
// the last snapshot is an interrupted run: not damage. A place before it that is no record is damage; reading goes on
// behind it, because a head says where in the file it belongs.
//
// Errors: those of Env; kInvalid "not_a_backup"; kCorrupt "backup_damaged". Thread-safety: one thread. Units: bytes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/cmd/backup_record.h"
#include "core/base/env.h"

namespace mlops::cli {

struct BackupDamage {
  std::uint64_t at = 0;
  std::string what;
};

class BackupFile {
 public:
  // Reads every head and every snapshot's description. An empty file is a backup without snapshots.
  static Result<BackupFile> open(Env& env, const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  const std::vector<BackupHead>& heads() const { return heads_; }
  const std::vector<BackupSnapshot>& snapshots() const { return snapshots_; }  // oldest first
  // Before the last snapshot's end; found by walking over the heads alone.
  const std::vector<BackupDamage>& damage() const { return damage_; }
  // Where the last snapshot ends; everything behind it is unfinished.
  std::uint64_t finished_bytes() const { return finished_bytes_; }
  // Unfinished records in a row behind the last snapshot (their heads are whole).
  std::vector<BackupHead> unfinished() const;
  // Of the next snapshot.
  std::uint32_t next_number() const { return last_number_ + 1; }

  // nullptr when there is none of that number.
  const BackupSnapshot* find(std::uint32_t number) const;
  // The records of a pack by their offset, as far as the snapshot's share of it reaches.
  std::vector<BackupHead> parts_of(const BackupSnapshot& snapshot, const BackupPack& pack) const;
  // The records of a pack that lie here without a hole from its beginning, and how many bytes they hold.
  std::vector<BackupHead> parts_held(std::uint32_t id, TimestampUs born_us) const;
  std::uint64_t held_bytes(std::uint32_t id, TimestampUs born_us) const;

  // Bytes [offset, offset + into.size()) of the file. Errors: "backup_damaged" when it ends before.
  Status read_at(std::uint64_t offset, std::span<std::uint8_t> into) const;
  // The payload, which is compared with its SHA-256 and its padding with zeros: false when they differ.
  Result<bool> read(const BackupHead& head, std::vector<std::uint8_t>& payload) const;

 private:
  using PackKey = std::pair<std::uint32_t, TimestampUs>;
  BackupFile(std::string path, std::unique_ptr<ReadableFile> file);
  Status walk();
  Status check_kind() const;
  Result<std::optional<BackupHead>> head_at(std::uint64_t at) const;
  Result<std::optional<std::uint64_t>> next_head(std::uint64_t from) const;
  Status take(const BackupHead& head);
  Status take_snapshot(const BackupHead& head);

  std::string path_;
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t finished_bytes_ = 0;
  std::uint64_t row_end_ = 0;  // of the unbroken row of records behind the last snapshot
  std::uint32_t last_number_ = 0;
  std::vector<BackupHead> heads_;
  std::vector<BackupSnapshot> snapshots_;
  std::vector<BackupDamage> damage_;
  std::map<PackKey, std::vector<std::size_t>> parts_;  // indexes of heads_, by offset
};

}  // namespace mlops::cli
