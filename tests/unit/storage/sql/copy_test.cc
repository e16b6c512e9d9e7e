// Copies of a database that is in use.
#include <filesystem>

#include "core/base/env.h"
#include "storage/sql/connection.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::sql;

namespace {

std::int64_t count(Connection& connection) {
  auto cursor = connection.query("SELECT COUNT(*) FROM t");
  REQUIRE(cursor);
  REQUIRE(cursor->next().value());
  return cursor->integer(0);
}

struct Database {
  Database() {
    writer = Connection::open(dir / "db", OpenMode::kWriter).value();
    REQUIRE(
        writer->execute_script("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT);"
                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                               "INSERT INTO t SELECT i, 'word ' || i FROM n;"));
    reader = Connection::open(dir / "db", OpenMode::kReader).value();
  }
  test::TempDir dir;
  std::unique_ptr<Connection> writer;
  std::unique_ptr<Connection> reader;
};

}  // namespace

TEST_CASE("a copy holds what was committed when it was made, also from the write-ahead log") {
  Database db;
  REQUIRE(db.writer->execute("BEGIN"));
  REQUIRE(db.writer->execute("DELETE FROM t WHERE id > 10"));
  REQUIRE(db.reader->copy_into(db.dir / "copy"));
  REQUIRE(db.writer->execute("COMMIT"));
  const auto copy = Connection::open(db.dir / "copy", OpenMode::kReader);
  REQUIRE(copy);
  CHECK(count(**copy) == 20000);
  CHECK(count(*db.reader) == 10);
}

TEST_CASE("copies differ where the database changed") {
  Database db;
  REQUIRE(db.reader->copy_into(db.dir / "first"));
  REQUIRE(db.writer->execute("UPDATE t SET word = 'Word 5' WHERE id = 5"));
  REQUIRE(db.reader->copy_into(db.dir / "second"));
  const auto first = read_file(db.dir / "first").value();
  const auto second = read_file(db.dir / "second").value();
  REQUIRE(first.size() == second.size());
  REQUIRE(first.size() > 50 * 4096);
  std::size_t pages = 0;
  for (std::size_t at = 0; at < first.size(); at += 4096) {
    pages += first.compare(at, 4096, second, at, 4096) != 0 ? 1 : 0;
  }
  CHECK(pages <= 3);
}

TEST_CASE("a damaged database is not copied without a word") {
  Database db;
  REQUIRE(db.writer->checkpoint_truncate());
  db.reader.reset();
  db.writer.reset();
  auto bytes = read_file(db.dir / "db").value();
  for (std::size_t at = 10 * 4096; at < 11 * 4096; ++at) bytes[at] = static_cast<char>(at * 7);
  REQUIRE(write_file_atomic(db.dir / "db", bytes));
  const auto reader = Connection::open(db.dir / "db", OpenMode::kReader);
  REQUIRE(reader);
  const auto copied = (*reader)->copy_into(db.dir / "copy");
  REQUIRE_FALSE(copied);
  CHECK(copied.error().slug == "database_corrupt");
}

TEST_CASE("a copy that cannot be made is an error") {
  Database db;
  CHECK_FALSE(db.reader->copy_into(db.dir / "no such folder/copy"));
}
