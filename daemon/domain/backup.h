// Backups as the server's side sees them: a session holds one consistent state still while somebody copies it away.
//
//   <store>/backup/<id>/mlops.db       copy of the database
//   <store>/backup/<id>/<8 hex>.pack   hard links to the packs; the listed sizes count, packs only grow
//
// Order: link the packs, copy the database, link what is new, make it durable. Whatever the copied database refers to
// lay in a pack at that moment; that pack was linked before or is linked after, and a link keeps its bytes although a
// collection moves or unlinks the pack: nothing is locked out, and no pull from a backup fails because of one. (A pack
// made, collected and gone between the two passes would be missed; a collection leaves what is that young alone.)
//
// Keys and tokens' secrets are no part of it. Every start is an audit entry: it takes everything away. Sessions end
// when asked, after half an hour without a read, when kSessionsMax newer ones exist, and with the process. Errors:
// kConflict "backup_diverged"; kNotFound "backup_not_found", "item_not_found"; kUnavailable "store_unsettled"; those of
// Store::copy_into, the pack store and Env. Thread-safety: thread-safe. Units: bytes, microseconds.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/cas/content_store.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct AuditHead {
  std::int64_t entries = 0;
  std::string hash;  // of the last one, hex
};

struct BackupItem {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::optional<TimestampUs> created_at_us;  // of a pack: with its id, what tells it from every other
  std::optional<crypto::Digest> digest;      // of the database
};

struct BackupState {
  std::string id;
  TimestampUs at_us = 0;
  AuditHead audit;  // in the copied database
  std::vector<BackupItem> items;
};

class Backups {
 public:
  static constexpr std::size_t kSessionsMax = 4;
  static constexpr std::int64_t kIdleLimitUs = 30ll * 60 * 1'000'000;

  // Removes what sessions of an earlier process left. REQUIRES: store and content outlive it.
  static Result<std::unique_ptr<Backups>> open(meta::Store& store, cas::ContentStore& content);
  ~Backups();

  // `continues`: the head in the newest copy the caller has; refused when this database does not go on from there.
  Result<BackupState> start(const meta::Actor& actor, const std::optional<AuditHead>& continues);

  class Session;
  // Bytes of one item; reading keeps its session.
  class ItemReader {
   public:
    std::uint64_t size_bytes() const { return size_bytes_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const;

   private:
    friend class Backups;
    std::shared_ptr<Session> session_;
    std::unique_ptr<ReadableFile> file_;
    const Clock* clock_ = nullptr;
    std::uint64_t size_bytes_ = 0;
  };
  Result<std::unique_ptr<ItemReader>> open_item(const std::string& id, const std::string& name);
  Status end(const std::string& id);
  // Also those that somebody reads from: an erasure must not leave links to what it took. Reads under way end first.
  void end_all();
  // Those that nobody has read from lately; called by itself.
  void end_idle();

 private:
  Backups(meta::Store& store, cas::ContentStore& content, std::string folder);
  Status check_continues(const AuditHead& head);
  Status fill(Session& session, BackupState& state);
  Result<BackupItem> describe_database(const std::string& file, AuditHead& audit);
  void add(std::shared_ptr<Session> session);
  std::shared_ptr<Session> find(const std::string& id);

  meta::Store& store_;
  cas::ContentStore& content_;
  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread watcher_;  // ends idle sessions
};

}  // namespace mlops::domain
