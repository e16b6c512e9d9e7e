// The unit of work over the metadata database: one writer thread with group commit, a pool of query-only readers.
//
// write() queues a closure to the writer thread. Closures of one group run in one transaction, a savepoint each, and
// their callers are answered only after the commit is durable. Every change is announced with touch() before it is
// made and belongs to an audit entry; at the end of the closure the entries are appended in the same transaction.
// A commit that fails is fatal: the process stops acknowledging (on_fatal) and recovers from the log at restart.
// Thread-safety: Store is thread-safe; a WriteTx or ReadTx belongs to its closure.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/model/principal.h"
#include "storage/audit/audit_log.h"
#include "storage/sql/connection.h"

namespace mlops::meta {

// How long a read may take. kShort ones are cut after 5 s so that they cannot hold the write-ahead log open; kLong ones
// read everything. kInstant ones are a few look-ups by key on the I/O thread: they have connections of their own, so
// that no other read can keep them waiting, and are cut after 250 ms.
enum class Patience { kInstant, kShort, kLong };
enum class Commit { kKeep, kDryRun };  // a dry run executes everything and keeps nothing

// Who changes something, from where.
struct Actor {
  model::Principal principal;
  model::Origin origin;
};

class WriteTx {
 public:
  sql::Connection& sql() { return connection_; }
  TimestampUs now_us() const { return now_us_; }
  std::string new_id() const { return mlops_new_id_(); }
  const Actor& actor() const { return actor_; }

  // Opens an audit entry; later touches belong to it. Several entries in one transaction are allowed.
  void begin_entry(std::string action, std::string target, std::string reason = {}, std::string policy_digest = {});
  // Announces that the row is about to be inserted, updated or deleted. REQUIRES: an open entry.
  Status touch(std::string_view table, const std::string& id);
  // What this transaction deletes or overwrites is gone from the files, too: overwritten with zeros in the database,
  // and the write-ahead log is emptied before the caller is answered (as far as no reader still needs it).
  Status wipe_what_goes();

 private:
  friend class Store;
  WriteTx(sql::Connection& connection, TimestampUs now_us, const Actor& actor, std::function<std::string()> new_id);
  Status finish(audit::AuditLog& log);

  sql::Connection& connection_;
  TimestampUs now_us_;
  const Actor& actor_;
  std::function<std::string()> mlops_new_id_;
  std::vector<audit::Entry> entries_;
  bool wipes_ = false;
};

struct StoreOptions {
  std::string database_file;
  std::size_t readers = 4;
  std::size_t instant_readers = 1;             // one for each I/O thread
  std::function<void(const Error&)> on_fatal;  // must not return to normal service
};

class Store {
 public:
  // Opens, checks and migrates. Errors: those of sql::Connection and sql::migrate, "database_corrupt".
  static Result<std::unique_ptr<Store>> open(StoreOptions options, const Clock& clock);
  ~Store();

  template <class T>
  Result<T> write(const Actor& actor, Commit commit, const std::function<Result<T>(WriteTx&)>& change) {
    std::optional<Result<T>> answer;
    auto status = run_write(actor, commit, [&](WriteTx& tx) -> Status {
      answer.emplace(change(tx));
      if (!*answer) return fail(answer->error());
      return {};
    });
    if (!status) return fail(std::move(status.error()));
    return std::move(*answer);
  }

  // Runs `look` inside one read transaction: everything it sees is one moment.
  template <class T>
  Result<T> read(const std::function<Result<T>(sql::Connection&)>& look, Patience patience = Patience::kShort) {
    MLOPS_ASSIGN(ReaderLease lease, lease_reader(patience));
    return look(lease.connection());
  }

  // The whole database as of now in a new file, through a connection of its own, so that nobody waits.
  // Errors: those of sql::Connection::copy_into.
  Status copy_into(const std::string& file) const;

  const Clock& clock() const { return clock_; }
  // The time that decides whether something has run out: never before the last change, so that setting the machine's
  // clock back revives nothing.
  TimestampUs now_us() const;
  // Grows with every commit, before any of its callers is answered.
  std::uint64_t generation() const { return generation_.load(); }
  // Called by the writer thread after every commit, before its callers are answered: it must return at once. Empty:
  // nobody is told.
  void on_commit(std::function<void()> hook);

 private:
  struct Job;
  struct ReaderPool {
    std::mutex mutex;
    std::condition_variable is_free;
    std::vector<std::unique_ptr<sql::Connection>> connections;
  };
  class ReaderLease {
   public:
    ReaderLease(ReaderPool* pool, std::unique_ptr<sql::Connection> connection);
    ReaderLease(ReaderLease&&) noexcept = default;
    ReaderLease& operator=(ReaderLease&&) noexcept = default;
    ~ReaderLease();
    sql::Connection& connection() { return *connection_; }

   private:
    ReaderPool* pool_;
    std::unique_ptr<sql::Connection> connection_;
  };

  Store(StoreOptions options, const Clock& clock, std::unique_ptr<sql::Connection> writer, audit::AuditLog log);
  Status run_write(const Actor& actor, Commit commit, const std::function<Status(WriteTx&)>& change);
  Status open_readers(ReaderPool& pool, std::size_t count);
  Result<ReaderLease> lease_reader(Patience patience);
  Status start_clock();
  Status in_transaction_or_error() const;
  void writer_loop();
  void run_group(std::deque<Job*>& group);
  void run_job(Job& job);
  void answer_group(std::deque<Job*>& group, const Status& outcome);

  const StoreOptions options_;
  const Clock& clock_;
  std::unique_ptr<sql::Connection> writer_;
  audit::AuditLog log_;
  std::atomic<TimestampUs> last_now_us_{0};  // written by the writer alone
  bool wipes_ = false;                       // the group under way; the writer thread's
  std::atomic<std::uint64_t> generation_{1};
  std::mutex hook_mutex_;
  std::function<void()> on_commit_;

  std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  bool broken_ = false;

  ReaderPool readers_;
  ReaderPool instant_readers_;
  std::thread writer_thread_;
};

}  // namespace mlops::meta
