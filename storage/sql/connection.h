// SQL over one SQLite database (the only sqlite3.h room): connections with cached statements, cursors, transactions.
//
// SQL is the portable subset with $n parameters; a PostgreSQL driver fits under the same interface.
// Errors: kUnavailable "database_busy", kExhausted "disk_full", kConflict "constraint" (a UNIQUE or CHECK failed),
// kCorrupt "database_corrupt", kTimeout "query_timeout", kInternal "database_error".
// Thread-safety: a Connection and its cursors belong to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::sql {

// A bound value. Text and blobs are borrowed for the duration of the call only.
struct Null {};
using Value = std::variant<Null, std::int64_t, double, std::string_view, ByteView>;

enum class OpenMode { kWriter, kReader };

class Connection;

// Rows of one query. Moves only; while it lives, its statement is in use.
class Cursor {
 public:
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;
  ~Cursor();

  // True: a row is there; false: the end.
  Result<bool> next();
  int column_count() const;
  std::string_view column_name(int column) const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;  // 0 for NULL
  double real(int column) const;
  std::string text(int column) const;  // "" for NULL
  // Valid until the next next().
  std::string_view text_view(int column) const;
  ByteView blob(int column) const;
  // The column as it is stored, views valid until the next next().
  Value value(int column) const;

 private:
  friend class Connection;
  struct Statement;
  Cursor(Connection* connection, Statement* statement);
  Connection* connection_ = nullptr;
  Statement* statement_ = nullptr;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, OpenMode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `sql` must have static storage: the prepared statement is cached by its address.
  Result<Cursor> query(std::string_view sql, std::initializer_list<Value> values = {});
  Result<Cursor> query(std::string_view sql, const std::vector<Value>& values);
  Status execute(std::string_view sql, std::initializer_list<Value> values = {});
  // Several statements without parameters (migrations); not cached.
  Status execute_script(const std::string& sql);
  // As query, for SQL built at run time (filters); not cached by address but by text.
  Result<Cursor> query_text(const std::string& sql, const std::vector<Value>& values);
  std::int64_t changes() const;  // rows of the last INSERT, UPDATE or DELETE
  // False after SQLite rolled a transaction back by itself (disk full, I/O error).
  bool in_transaction() const;

  // Queries of this connection fail with kTimeout after `deadline`; zero: no limit.
  void set_deadline(std::chrono::steady_clock::time_point deadline);
  // Pages now in the write-ahead log, as of the last commit of this connection.
  int wal_pages() const;
  // Everything as of one moment, page by page, into a new file, which is then checked; other connections go on
  // meanwhile. Pages keep their places, so that two copies differ where the database changed. The file is not synced.
  // REQUIRES: nothing at `file`, outside a transaction. Errors: those of a query; what was written stays.
  Status copy_into(const std::string& file);
  // Moves the log into the database and truncates it. REQUIRES: the writer, outside a transaction.
  Status checkpoint_truncate();

 private:
  friend class Cursor;
  class Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::sql
