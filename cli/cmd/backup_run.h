// One run of a backup: asks the server for a consistent state, fetches what the file lacks, checks it while it arrives,
// ends the snapshot.
//
// What is compared before anything is added: that the server's audit log contains the head that the file's last
// snapshot had, and that every pack which goes on ends, up to the bytes held here, in the same bytes. A server that was
// set back in time therefore never continues a file that saw its other future. Errors: kConflict "backup_diverged";
// kCorrupt "transfer_damaged"; those of the server and of the file. Thread-safety: one thread. Units: bytes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/cmd/backup_writer.h"
#include "cli/cmd/pack_scan.h"
#include "core/base/json.h"

namespace mlops::cli {

// The server's side (docs/format/wire.md, /api/v1/backups).
struct BackupSource {
  // The answer of POST. `request` may say what the backup continues.
  std::function<Result<Json>(const Json& request)> start;
  // Bytes [begin, end) of an item.
  std::function<Status(const std::string& id, const std::string& item, std::uint64_t begin, std::uint64_t end,
                       const std::function<Status(ByteView)>& sink)>
      fetch;
  std::function<void(const std::string& id)> end;
};

// What the server offers.
struct BackupOffer {
  std::string id;
  BackupSnapshot state;  // without number, chain and damage
  static Result<BackupOffer> parse(const Json& answer);
};

struct PlannedPart {
  BackupPack pack;
  std::uint64_t from = 0;  // what is held here already
};

struct BackupPlan {
  std::vector<PlannedPart> parts;  // of packs that the file lacks, wholly or their ends
  std::uint64_t bytes = 0;         // to fetch, with the database
};

struct DamagedPlace {
  std::string pack;
  PackGap gap;
};

struct BackupOutcome {
  BackupSnapshot snapshot;
  std::uint64_t fetched_bytes = 0;    // as planned
  std::uint64_t added_bytes = 0;      // to the file
  std::uint64_t parts = 0;            // packs that were new or had grown
  std::vector<DamagedPlace> damaged;  // was damaged on the server already
};

class BackupRun {
 public:
  // REQUIRES: writer and source outlive the run.
  BackupRun(BackupWriter& writer, const BackupSource& source) : writer_(writer), source_(source) {}
  ~BackupRun();
  BackupRun(const BackupRun&) = delete;
  BackupRun& operator=(const BackupRun&) = delete;

  // The server prepares; nothing is fetched but what must be compared.
  Result<BackupPlan> plan();
  // `progress` is told the bytes fetched so far. REQUIRES: after plan(), once.
  Result<BackupOutcome> execute(const std::function<void(std::uint64_t)>& progress);

 private:
  Status get(const std::string& item, std::uint64_t begin, std::uint64_t end,
             const std::function<Status(ByteView)>& sink) const;
  Result<BackupPlan> compare();
  Status check_tail(const PlannedPart& part);
  Status fetch_pack(const PlannedPart& part);
  Status keep_scanned(const BackupPack& pack, std::uint64_t& offset, std::vector<std::uint8_t>& buffer, PackPart part);
  Status fetch_again(const BackupPack& pack);
  Status fetch_database();
  Status flush_blocks(std::uint64_t end);
  void fetched(std::size_t bytes);

  BackupWriter& writer_;
  const BackupSource& source_;
  BackupOffer offer_;
  BackupPlan plan_;
  BackupOutcome outcome_;
  std::function<void(std::uint64_t)> progress_;
  std::uint64_t fetched_bytes_ = 0;
  struct Suspect {
    PackGap gap;
    crypto::Digest digest;  // of the bytes that came
  };
  std::vector<Suspect> suspects_;      // of the pack that is being fetched
  std::vector<std::uint8_t> changed_;  // database blocks in a row, not written yet
};

}  // namespace mlops::cli
