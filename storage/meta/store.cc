#include "storage/meta/store.h"

#include <fmt/format.h>

#include <future>

#include "core/base/id.h"
#include "core/base/log.h"
#include "storage/sql/migrate.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kBegin = "BEGIN IMMEDIATE";
constexpr std::string_view kCommit = "COMMIT";
constexpr std::string_view kRollback = "ROLLBACK";
constexpr std::string_view kSavepoint = "SAVEPOINT job";
constexpr std::string_view kRollbackTo = "ROLLBACK TO job";
constexpr std::string_view kRelease = "RELEASE job";
constexpr std::string_view kReadBegin = "BEGIN";
constexpr std::string_view kLastTime = "SELECT at FROM audit_index ORDER BY seq DESC LIMIT 1";
constexpr std::string_view kWipe = "PRAGMA secure_delete = ON";
constexpr std::string_view kQuickCheck = "PRAGMA quick_check(1)";

// Jobs of one commit; more would only make the first of them wait longer.
constexpr std::size_t kGroupLimit = 256;
// A log this long is folded into the database and truncated, so that one slow reader cannot grow it for ever.
constexpr int kWalTruncatePages = 16384;
constexpr std::chrono::milliseconds kInstantDeadline{250};
constexpr std::chrono::milliseconds kReadDeadline{5000};

std::chrono::steady_clock::time_point deadline_of(Patience patience) {
  if (patience == Patience::kLong) return {};
  return std::chrono::steady_clock::now() + (patience == Patience::kInstant ? kInstantDeadline : kReadDeadline);
}

}  // namespace

WriteTx::WriteTx(sql::Connection& connection, TimestampUs now_us, const Actor& actor,
                 std::function<std::string()> new_id)
    : connection_(connection), now_us_(now_us), actor_(actor), mlops_new_id_(std::move(new_id)) {}

void WriteTx::begin_entry(std::string action, std::string target, std::string reason, std::string policy_digest) {
  entries_.push_back({std::move(action), std::move(target), std::move(reason), std::move(policy_digest), {}});
}

Status WriteTx::wipe_what_goes() {
  wipes_ = true;
  return connection_.execute(kWipe);
}

Status WriteTx::touch(std::string_view table, const std::string& id) {
  if (entries_.empty()) {
    return fail(ErrorCode::kInternal, "change_without_entry", fmt::format("a change of {} has no audit entry", table));
  }
  auto& changes = entries_.back().changes;
  for (const auto& change : changes) {
    if (change.row.table == table && change.row.id == id) return {};
  }
  const audit::RowKey row{table, id};
  MLOPS_ASSIGN(auto before, audit::row_digest(connection_, row));
  changes.push_back({row, before, std::nullopt});
  return {};
}

Status WriteTx::finish(audit::AuditLog& log) {
  // A row touched by several entries has its middle states only in passing: the later entry's "before" was read when
  // it was touched, so an earlier entry's "after" is that same digest.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    for (auto& change : entries_[i].changes) {
      const audit::Change* later = nullptr;
      for (std::size_t j = i + 1; j < entries_.size() && !later; ++j) {
        for (const auto& other : entries_[j].changes) {
          if (other.row.table == change.row.table && other.row.id == change.row.id) later = &other;
        }
      }
      if (later) {
        change.after = later->before;
      } else {
        MLOPS_ASSIGN(change.after, audit::row_digest(connection_, change.row));
      }
    }
  }
  for (const auto& entry : entries_) {
    MLOPS_TRY(log.append(connection_, actor_.principal, actor_.origin, entry, now_us_));
  }
  return {};
}

struct Store::Job {
  const Actor* actor;
  Commit commit;
  const std::function<Status(WriteTx&)>* change;
  Status outcome;
  std::promise<void> done;
};

Result<std::unique_ptr<Store>> Store::open(StoreOptions options, const Clock& clock) {
  MLOPS_ASSIGN(auto writer, sql::Connection::open(options.database_file, sql::OpenMode::kWriter));
  {
    MLOPS_ASSIGN(auto check, writer->query(kQuickCheck));
    MLOPS_TRY(check.next());
    if (check.text_view(0) != "ok") {
      return fail(ErrorCode::kCorrupt, "database_corrupt", fmt::format("the database is damaged: {}", check.text(0)),
                  "restore a backup");
    }
  }
  MLOPS_ASSIGN(const auto applied, sql::migrate(*writer, sql::embedded_migrations(), clock));
  for (const auto& name : applied) log::info("migration_applied", {{"name", std::string_view(name)}});
  MLOPS_ASSIGN(auto log, audit::AuditLog::open(*writer));
  std::unique_ptr<Store> store(new Store(std::move(options), clock, std::move(writer), std::move(log)));
  MLOPS_TRY(store->start_clock());
  MLOPS_TRY(store->open_readers(store->readers_, store->options_.readers));
  MLOPS_TRY(store->open_readers(store->instant_readers_, store->options_.instant_readers));
  store->writer_thread_ = std::thread([raw = store.get()] { raw->writer_loop(); });
  return store;
}

// Time goes on from the last entry, so that a machine whose clock was set back cannot write into the past.
Status Store::start_clock() {
  MLOPS_ASSIGN(auto cursor, writer_->query(kLastTime));
  MLOPS_ASSIGN(const bool any, cursor.next());
  if (any) last_now_us_ = cursor.integer(0);
  return {};
}

void Store::on_commit(std::function<void()> hook) {
  std::lock_guard lock(hook_mutex_);
  on_commit_ = std::move(hook);
}

TimestampUs Store::now_us() const {
  return std::max(last_now_us_.load(), clock_.now_us());
}

Store::Store(StoreOptions options, const Clock& clock, std::unique_ptr<sql::Connection> writer, audit::AuditLog log)
    : options_(std::move(options)), clock_(clock), writer_(std::move(writer)), log_(std::move(log)) {}

Store::~Store() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_writer_.notify_all();
  if (writer_thread_.joinable()) writer_thread_.join();
}

Status Store::run_write(const Actor& actor, Commit commit, const std::function<Status(WriteTx&)>& change) {
  Job job{&actor, commit, &change, {}, {}};
  {
    std::lock_guard lock(mutex_);
    if (broken_ || stopping_) {
      return fail(ErrorCode::kUnavailable, "store_stopped", "the store takes no changes any more", "restart mlopsd");
    }
    queue_.push_back(&job);
  }
  wake_writer_.notify_one();
  job.done.get_future().wait();
  return std::move(job.outcome);
}

void Store::writer_loop() {
  std::deque<Job*> group;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_writer_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < kGroupLimit) {
        group.push_back(queue_.front());
        queue_.pop_front();
      }
    }
    run_group(group);
    group.clear();
    if (writer_->wal_pages() > kWalTruncatePages) (void)writer_->checkpoint_truncate();
  }
}

void Store::run_group(std::deque<Job*>& group) {
  const auto head_before = log_.mark();
  if (auto begun = writer_->execute(kBegin); !begun) return answer_group(group, begun);
  for (auto* job : group) run_job(*job);
  auto committed = in_transaction_or_error();
  if (committed) committed = writer_->execute(kCommit);
  if (!committed) {
    (void)writer_->execute(kRollback);
    log_.rewind(head_before);
    // A full disk left the database sound; anything else may have lost an acknowledged page (fsync is never retried).
    if (committed.error().slug != "disk_full") {
      {
        std::lock_guard lock(mutex_);
        broken_ = true;
      }
      log::error("commit_failed", {{"slug", std::string_view(committed.error().slug)}});
      answer_group(group, committed);
      if (options_.on_fatal) options_.on_fatal(committed.error());
      return;
    }
  }
  ++generation_;
  {
    std::lock_guard lock(hook_mutex_);
    if (on_commit_) on_commit_();
  }
  if (wipes_) {
    (void)writer_->checkpoint_truncate();
    wipes_ = false;
  }
  answer_group(group, committed);
}

// A full disk or an I/O error makes SQLite roll the whole transaction back: then nothing of the group was kept,
// whatever its closures thought.
Status Store::in_transaction_or_error() const {
  if (writer_->in_transaction()) return {};
  return fail(ErrorCode::kExhausted, "disk_full", "the database could not grow",
              "free space on the data directory's disk");
}

void Store::run_job(Job& job) {
  const auto head_before = log_.mark();
  if (job.outcome = in_transaction_or_error(); !job.outcome) return;
  if (job.outcome = writer_->execute(kSavepoint); !job.outcome) return;
  // Time never runs backwards inside the log, whatever the machine's clock does.
  last_now_us_ = std::max(last_now_us_.load() + 1, clock_.now_us());
  WriteTx tx(*writer_, last_now_us_, *job.actor, [this] { return mlops::new_id(clock_); });
  job.outcome = (*job.change)(tx);
  wipes_ = wipes_ || tx.wipes_;
  if (job.outcome) job.outcome = tx.finish(log_);
  if (!job.outcome || job.commit == Commit::kDryRun) {
    (void)writer_->execute(kRollbackTo);
    log_.rewind(head_before);
  }
  (void)writer_->execute(kRelease);
}

void Store::answer_group(std::deque<Job*>& group, const Status& outcome) {
  for (auto* job : group) {
    if (!outcome && job->outcome) job->outcome = fail(outcome.error());
    job->done.set_value();
  }
}

Status Store::copy_into(const std::string& file) const {
  MLOPS_ASSIGN(const auto reader, sql::Connection::open(options_.database_file, sql::OpenMode::kReader));
  return reader->copy_into(file);
}

Status Store::open_readers(ReaderPool& pool, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    MLOPS_ASSIGN(auto reader, sql::Connection::open(options_.database_file, sql::OpenMode::kReader));
    pool.connections.push_back(std::move(reader));
  }
  return {};
}

Store::ReaderLease::ReaderLease(ReaderPool* pool, std::unique_ptr<sql::Connection> connection)
    : pool_(pool), connection_(std::move(connection)) {}

Store::ReaderLease::~ReaderLease() {
  if (!connection_) return;
  (void)connection_->execute(kRollback);
  std::lock_guard lock(pool_->mutex);
  pool_->connections.push_back(std::move(connection_));
  pool_->is_free.notify_one();
}

Result<Store::ReaderLease> Store::lease_reader(Patience patience) {
  auto& pool = patience == Patience::kInstant ? instant_readers_ : readers_;
  std::unique_ptr<sql::Connection> connection;
  {
    std::unique_lock lock(pool.mutex);
    pool.is_free.wait(lock, [&] { return !pool.connections.empty(); });
    connection = std::move(pool.connections.back());
    pool.connections.pop_back();
  }
  connection->set_deadline(deadline_of(patience));
  ReaderLease lease(&pool, std::move(connection));
  MLOPS_TRY(lease.connection().execute(kReadBegin));
  return lease;
}

}  // namespace mlops::meta
