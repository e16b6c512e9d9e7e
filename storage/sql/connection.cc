#include "storage/sql/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <unordered_map>

namespace mlops::sql {
namespace {

struct CodeRow {
  int sqlite;
  ErrorCode code;
  std::string_view slug;
  std::string_view hint;
};
constexpr CodeRow kCodes[] = {
    {SQLITE_BUSY, ErrorCode::kUnavailable, "database_busy", "try again"},
    {SQLITE_LOCKED, ErrorCode::kUnavailable, "database_busy", "try again"},
    {SQLITE_FULL, ErrorCode::kExhausted, "disk_full", "free space on the data directory's disk"},
    {SQLITE_CONSTRAINT, ErrorCode::kConflict, "constraint", ""},
    {SQLITE_CORRUPT, ErrorCode::kCorrupt, "database_corrupt", "restore from a backup"},
    {SQLITE_NOTADB, ErrorCode::kCorrupt, "database_corrupt", "restore from a backup"},
    {SQLITE_INTERRUPT, ErrorCode::kTimeout, "query_timeout", "narrow the query"},
    {SQLITE_IOERR, ErrorCode::kUnavailable, "io_error", "look at the disk of the data directory"},
};

Error sqlite_error(sqlite3* database, int code, std::string_view doing) {
  const std::string reason = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  for (const auto& row : kCodes) {
    if (row.sqlite == (code & 0xff)) {
      return {row.code, std::string(row.slug), fmt::format("{}: {}", doing, reason), std::string(row.hint), {}};
    }
  }
  return {ErrorCode::kInternal, "database_error", fmt::format("{}: {}", doing, reason), {}, {}};
}

// Settings of every connection, then those of its mode. DEFENSIVE and untrusted schema because the file might have
// been touched by somebody else; mmap off because it worsened known corruption.
constexpr const char* kCommonPragmas =
    "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* kWriterPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-16384;"
    "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON;";  // what is deleted stands in no free page
constexpr const char* kReaderPragmas = "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1024;";

}  // namespace

struct Cursor::Statement {
  sqlite3_stmt* handle = nullptr;
  bool in_use = false;
  bool temporary = false;
  // SQLite takes "$2" for a name and counts names in order of appearance; this is where each really stands.
  std::vector<int> parameter_index;
};

namespace {

std::vector<int> parameter_positions(sqlite3_stmt* handle) {
  std::vector<int> positions(static_cast<std::size_t>(sqlite3_bind_parameter_count(handle)));
  for (std::size_t i = 0; i < positions.size(); ++i) {
    positions[i] = sqlite3_bind_parameter_index(handle, fmt::format("${}", i + 1).c_str());
  }
  return positions;
}

}  // namespace

class Connection::Impl {
 public:
  ~Impl() {
    for (auto& [key, statement] : by_address) sqlite3_finalize(statement.handle);
    for (auto& [key, statement] : by_text) sqlite3_finalize(statement.handle);
    sqlite3_close_v2(database);
  }

  Result<sqlite3_stmt*> prepare(std::string_view sql) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &handle, nullptr);
    if (code != SQLITE_OK) return fail(sqlite_error(database, code, "preparing a statement"));
    return handle;
  }

  template <class Map, class Key>
  Result<Cursor::Statement*> acquire(Map& cache, const Key& key, std::string_view sql) {
    auto [it, fresh] = cache.try_emplace(key);
    if (fresh || !it->second.handle) {
      auto handle = prepare(sql);
      if (!handle) {
        cache.erase(it);
        return fail(std::move(handle.error()));
      }
      it->second.handle = *handle;
      it->second.parameter_index = parameter_positions(*handle);
    }
    if (!it->second.in_use) {
      it->second.in_use = true;
      return &it->second;
    }
    // The same query is open further up the stack: a second handle for this one use.
    MLOPS_ASSIGN(auto* handle, prepare(sql));
    return new Cursor::Statement{handle, true, true, parameter_positions(handle)};
  }

  static void release(Cursor::Statement* statement) {
    if (statement->temporary) {
      sqlite3_finalize(statement->handle);
      delete statement;
      return;
    }
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
    statement->in_use = false;
  }

  Status bind(const Cursor::Statement& statement, const Value* values, std::size_t count) {
    if (count != statement.parameter_index.size()) {
      return fail(ErrorCode::kInternal, "parameter_count",
                  fmt::format("a statement takes {} parameters and got {}", statement.parameter_index.size(), count));
    }
    for (std::size_t i = 0; i < count; ++i) {
      const int code = bind_one(statement.handle, statement.parameter_index[i], values[i]);
      if (code != SQLITE_OK) return fail(sqlite_error(database, code, "binding a parameter"));
    }
    return {};
  }

  static int bind_one(sqlite3_stmt* handle, int index, const Value& value) {
    struct Binder {
      sqlite3_stmt* handle;
      int index;
      int operator()(Null) const { return sqlite3_bind_null(handle, index); }
      int operator()(std::int64_t v) const { return sqlite3_bind_int64(handle, index, v); }
      int operator()(double v) const { return sqlite3_bind_double(handle, index, v); }
      // Copied by SQLite: a cursor may outlive the caller's buffers.
      int operator()(std::string_view v) const {
        return sqlite3_bind_text(handle, index, v.data() ? v.data() : "", static_cast<int>(v.size()), SQLITE_TRANSIENT);
      }
      int operator()(ByteView v) const {
        return sqlite3_bind_blob(handle, index, v.data() ? static_cast<const void*>(v.data()) : "",
                                 static_cast<int>(v.size()), SQLITE_TRANSIENT);
      }
    };
    return std::visit(Binder{handle, index}, value);
  }

  static int on_progress(void* self) {
    const auto& deadline = static_cast<Impl*>(self)->deadline;
    return deadline.time_since_epoch().count() != 0 && std::chrono::steady_clock::now() > deadline;
  }
  static int on_wal(void* self, sqlite3* database, const char* name, int pages) {
    auto* impl = static_cast<Impl*>(self);
    impl->wal_page_count = pages;
    // Installing this hook replaces the built-in one, so the passive checkpoint is asked for here.
    if (impl->is_writer && pages >= 4000)
      sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return SQLITE_OK;
  }

  sqlite3* database = nullptr;
  bool is_writer = false;
  int wal_page_count = 0;
  std::chrono::steady_clock::time_point deadline{};
  std::unordered_map<const void*, Cursor::Statement> by_address;
  std::unordered_map<std::string, Cursor::Statement> by_text;
};

Cursor::Cursor(Connection* connection, Statement* statement) : connection_(connection), statement_(statement) {}
Cursor::Cursor(Cursor&& other) noexcept
    : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
Cursor& Cursor::operator=(Cursor&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(statement_, other.statement_);
  return *this;
}
Cursor::~Cursor() {
  if (statement_) Connection::Impl::release(statement_);
}

Result<bool> Cursor::next() {
  const int code = sqlite3_step(statement_->handle);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(sqlite_error(connection_->impl_->database, code, "reading the database"));
}

int Cursor::column_count() const {
  return sqlite3_column_count(statement_->handle);
}
std::string_view Cursor::column_name(int column) const {
  return sqlite3_column_name(statement_->handle, column);
}
bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_->handle, column) == SQLITE_NULL;
}
std::int64_t Cursor::integer(int column) const {
  return sqlite3_column_int64(statement_->handle, column);
}
double Cursor::real(int column) const {
  return sqlite3_column_double(statement_->handle, column);
}
std::string Cursor::text(int column) const {
  return std::string(text_view(column));
}

std::string_view Cursor::text_view(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_->handle, column));
  if (!text) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_->handle, column))};
}

ByteView Cursor::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_->handle, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_->handle, column))};
}

Value Cursor::value(int column) const {
  switch (sqlite3_column_type(statement_->handle, column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return real(column);
    case SQLITE_TEXT:
      return text_view(column);
    case SQLITE_BLOB:
      return blob(column);
    default:
      return Null{};
  }
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, OpenMode mode) {
  auto impl = std::make_unique<Impl>();
  impl->is_writer = mode == OpenMode::kWriter;
  // A reader opens read-write too: WAL readers need the shared-memory file; query_only forbids changes.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (impl->is_writer ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(path.c_str(), &impl->database, flags, nullptr);
  if (code != SQLITE_OK) return fail(sqlite_error(impl->database, code, fmt::format("opening {}", path)));
  sqlite3_extended_result_codes(impl->database, 1);
  sqlite3_db_config(impl->database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(impl->database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  if (mode == OpenMode::kReader) sqlite3_db_config(impl->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_limit(impl->database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(impl->database, SQLITE_LIMIT_EXPR_DEPTH, 100);
  auto connection = std::unique_ptr<Connection>(new Connection(std::move(impl)));
  MLOPS_TRY(connection->execute_script(kCommonPragmas));
  MLOPS_TRY(connection->execute_script(mode == OpenMode::kWriter ? kWriterPragmas : kReaderPragmas));
  auto* raw = connection->impl_.get();
  sqlite3_progress_handler(raw->database, 4000, Impl::on_progress, raw);
  sqlite3_wal_hook(raw->database, Impl::on_wal, raw);
  return connection;
}

Result<Cursor> Connection::query(std::string_view sql, std::initializer_list<Value> values) {
  MLOPS_ASSIGN(auto* statement, impl_->acquire(impl_->by_address, static_cast<const void*>(sql.data()), sql));
  Cursor cursor(this, statement);
  MLOPS_TRY(impl_->bind(*statement, values.begin(), values.size()));
  return cursor;
}

Result<Cursor> Connection::query(std::string_view sql, const std::vector<Value>& values) {
  MLOPS_ASSIGN(auto* statement, impl_->acquire(impl_->by_address, static_cast<const void*>(sql.data()), sql));
  Cursor cursor(this, statement);
  MLOPS_TRY(impl_->bind(*statement, values.data(), values.size()));
  return cursor;
}

Result<Cursor> Connection::query_text(const std::string& sql, const std::vector<Value>& values) {
  MLOPS_ASSIGN(auto* statement, impl_->acquire(impl_->by_text, sql, sql));
  Cursor cursor(this, statement);
  MLOPS_TRY(impl_->bind(*statement, values.data(), values.size()));
  return cursor;
}

Status Connection::execute(std::string_view sql, std::initializer_list<Value> values) {
  MLOPS_ASSIGN(auto cursor, query(sql, values));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return {};
  }
}

Status Connection::execute_script(const std::string& sql) {
  const int code = sqlite3_exec(impl_->database, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(sqlite_error(impl_->database, code, "executing a script"));
  return {};
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(impl_->database);
}
bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(impl_->database) == 0;
}
void Connection::set_deadline(std::chrono::steady_clock::time_point deadline) {
  impl_->deadline = deadline;
}
int Connection::wal_pages() const {
  return impl_->wal_page_count;
}

Status Connection::copy_into(const std::string& file) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> copy(opened, sqlite3_close_v2);
  if (code != SQLITE_OK) return fail(sqlite_error(copy.get(), code, "making a copy of the database"));
  // Whoever loses power begins a new copy.
  sqlite3_exec(copy.get(), "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  auto* transfer = sqlite3_backup_init(copy.get(), "main", impl_->database, "main");
  if (!transfer) return fail(sqlite_error(copy.get(), sqlite3_errcode(copy.get()), "copying the database"));
  // All pages in one step: that is one read transaction. What went wrong before shows in finish.
  sqlite3_backup_step(transfer, -1);
  const int copied = sqlite3_backup_finish(transfer);
  if (copied != SQLITE_OK) return fail(sqlite_error(copy.get(), copied, "copying the database"));
  std::string verdict;
  const auto take = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) = values[0] ? values[0] : "";
    return 0;
  };
  const int checked = sqlite3_exec(copy.get(), "PRAGMA quick_check(1)", take, &verdict, nullptr);
  if (checked != SQLITE_OK) return fail(sqlite_error(copy.get(), checked, "checking the copy of the database"));
  if (verdict == "ok") return {};
  return fail(ErrorCode::kCorrupt, "database_corrupt", fmt::format("the database is damaged: {}", verdict),
              "restore from a backup");
}

Status Connection::checkpoint_truncate() {
  const int code = sqlite3_wal_checkpoint_v2(impl_->database, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) return fail(sqlite_error(impl_->database, code, "checkpointing"));
  if (code == SQLITE_OK) impl_->wal_page_count = 0;
  return {};
}

}  // namespace mlops::sql
