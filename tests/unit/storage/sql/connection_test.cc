// The one SQLite room: parameters, cursors, errors as values, and what each mode may not do.
#include "storage/sql/connection.h"

#include <fstream>

#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::sql;

namespace {

struct Database {
  Database() {
    auto opened = Connection::open(dir / "db", OpenMode::kWriter);
    REQUIRE(opened);
    writer = std::move(*opened);
    REQUIRE(writer->execute_script("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT UNIQUE CHECK (word <> 'no'))"));
  }
  std::int64_t count() const {
    auto cursor = writer->query("SELECT COUNT(*) FROM t");
    REQUIRE(cursor);
    REQUIRE(cursor->next().value());
    return cursor->integer(0);
  }
  test::TempDir dir;
  std::unique_ptr<Connection> writer;
};

}  // namespace

TEST_CASE("parameters are bound by their number, wherever and however often they stand") {
  Database db;
  auto cursor = db.writer->query("SELECT $3, $1, $2, $1", {std::string_view("one"), std::int64_t{2}, 3.5});
  REQUIRE(cursor);
  REQUIRE(cursor->next().value());
  CHECK(cursor->real(0) == 3.5);
  CHECK(cursor->text(1) == "one");
  CHECK(cursor->integer(2) == 2);
  CHECK(cursor->text(3) == "one");
  CHECK_FALSE(cursor->next().value());
}

TEST_CASE("a wrong number of parameters is a defect of the program, said at once") {
  Database db;
  const auto few = db.writer->query("SELECT $1, $2", {std::int64_t{1}});
  REQUIRE_FALSE(few);
  CHECK(few.error().code == ErrorCode::kInternal);
  CHECK(few.error().slug == "parameter_count");
  CHECK_FALSE(db.writer->query("SELECT 1", {std::int64_t{1}}));
}

TEST_CASE("a parameter is a value, never SQL") {
  Database db;
  const std::string_view hostile = "x'); DROP TABLE t; --";
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {hostile}));
  auto cursor = db.writer->query("SELECT word FROM t WHERE word = $1", {hostile});
  REQUIRE(cursor->next().value());
  CHECK(cursor->text(0) == hostile);
}

TEST_CASE("every type comes back as it was bound, empty and null apart") {
  Database db;
  const std::string with_nul("a\0b", 3);
  const std::vector<std::uint8_t> bytes{0, 255, 7};
  auto cursor = db.writer->query(
      "SELECT $1, $2, $3, $4, $5, $6",
      {Null{}, std::string_view(), std::string_view(with_nul), ByteView(bytes), std::int64_t{INT64_MIN}, ByteView()});
  REQUIRE(cursor);
  REQUIRE(cursor->next().value());
  CHECK(cursor->is_null(0));
  CHECK(std::holds_alternative<Null>(cursor->value(0)));
  CHECK_FALSE(cursor->is_null(1));
  CHECK(cursor->text(1).empty());
  CHECK(cursor->text(2) == with_nul);
  CHECK(std::vector<std::uint8_t>(cursor->blob(3).begin(), cursor->blob(3).end()) == bytes);
  CHECK(cursor->integer(4) == INT64_MIN);
  CHECK_FALSE(cursor->is_null(5));
  CHECK(cursor->blob(5).empty());
}

TEST_CASE("one statement may be open several times, inner uses leave the outer alone") {
  Database db;
  for (const std::string_view word : {"a", "b", "c"})
    REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {word}));
  constexpr std::string_view kAll = "SELECT word FROM t ORDER BY word";
  std::string seen;
  auto outer = db.writer->query(kAll);
  while (outer->next().value()) {
    auto middle = db.writer->query(kAll);
    while (middle->next().value()) {
      auto inner = db.writer->query(kAll);
      REQUIRE(inner->next().value());
      seen += outer->text(0) + middle->text(0) + inner->text(0) + " ";
    }
  }
  CHECK(seen == "aaa aba aca baa bba bca caa cba cca ");
}

TEST_CASE("a cursor that is dropped half-read starts anew") {
  Database db;
  for (const std::string_view word : {"a", "b"})
    REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {word}));
  constexpr std::string_view kAll = "SELECT word FROM t ORDER BY word";
  {
    auto half = db.writer->query(kAll);
    REQUIRE(half->next().value());
    Cursor moved = std::move(*half);
    CHECK(moved.text(0) == "a");
  }
  auto again = db.writer->query(kAll);
  REQUIRE(again->next().value());
  CHECK(again->text(0) == "a");
}

TEST_CASE("a failed constraint is a conflict and keeps nothing") {
  Database db;
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("x")}));
  for (const std::string_view word : {"x", "no"}) {
    const auto status = db.writer->execute("INSERT INTO t (word) VALUES ($1)", {word});
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kConflict);
    CHECK(status.error().slug == "constraint");
  }
  CHECK(db.count() == 1);
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("y")}));
  CHECK(db.writer->changes() == 1);
}

TEST_CASE("a reader reads and cannot change anything") {
  Database db;
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("x")}));
  auto reader = Connection::open(db.dir / "db", OpenMode::kReader);
  REQUIRE(reader);
  {
    auto cursor = (*reader)->query("SELECT word FROM t");
    REQUIRE(cursor->next().value());
    CHECK(cursor->text(0) == "x");
  }
  CHECK_FALSE((*reader)->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("y")}));
  CHECK_FALSE((*reader)->execute("DELETE FROM t"));
  CHECK_FALSE((*reader)->execute_script("DROP TABLE t"));
  CHECK(db.count() == 1);
}

TEST_CASE("a reader does not create the database it cannot find") {
  const test::TempDir dir;
  CHECK_FALSE(Connection::open(dir / "absent", OpenMode::kReader));
  CHECK_FALSE(std::filesystem::exists(dir / "absent"));
}

TEST_CASE("foreign keys hold, other files cannot be attached, the schema cannot be written") {
  Database db;
  REQUIRE(db.writer->execute_script("CREATE TABLE child (t INTEGER REFERENCES t (id))"));
  const auto orphan = db.writer->execute("INSERT INTO child (t) VALUES ($1)", {std::int64_t{99}});
  REQUIRE_FALSE(orphan);
  CHECK(orphan.error().code == ErrorCode::kConflict);
  CHECK_FALSE(db.writer->execute_script("ATTACH ':memory:' AS other"));
  CHECK_FALSE(db.writer->execute_script("PRAGMA writable_schema=ON; DELETE FROM sqlite_master"));
}

TEST_CASE("a query past its deadline is cut and the connection stays good") {
  Database db;
  constexpr std::string_view kLong =
      "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000000) SELECT COUNT(*) FROM c";
  db.writer->set_deadline(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  {
    auto cursor = db.writer->query(kLong);
    REQUIRE(cursor);
    const auto row = cursor->next();
    REQUIRE_FALSE(row);
    CHECK(row.error().code == ErrorCode::kTimeout);
    CHECK(row.error().slug == "query_timeout");
  }
  db.writer->set_deadline({});
  CHECK(db.count() == 0);
}

TEST_CASE("a file that is no database is corrupt") {
  const test::TempDir dir;
  std::ofstream(dir / "db") << std::string(8192, 'x');
  const auto opened = Connection::open(dir / "db", OpenMode::kWriter);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorrupt);
  CHECK(opened.error().slug == "database_corrupt");
}

TEST_CASE("text made at run time is prepared by its text, a broken one is refused and not remembered") {
  Database db;
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(db.writer->query_text("SELECT nothing FROM nowhere", {}));
    auto cursor = db.writer->query_text(std::string("SELECT $1 + ") + std::to_string(i), {std::int64_t{40}});
    REQUIRE(cursor->next().value());
    CHECK(cursor->integer(0) == 40 + i);
  }
}

TEST_CASE("threat 29: what was deleted is in no page of the file any more") {
  Database db;
  const auto bytes = [&] {
    auto checkpoint = db.writer->query("PRAGMA wal_checkpoint(TRUNCATE)");
    REQUIRE(checkpoint);
    REQUIRE(checkpoint->next());
    std::ifstream file(db.dir / "db", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("Quillfeather")}));
  REQUIRE(bytes().find("Quillfeather") != std::string::npos);
  REQUIRE(db.writer->execute("DELETE FROM t"));
  CHECK(bytes().find("Quillfeather") == std::string::npos);
}

TEST_CASE("a transaction is seen from outside") {
  Database db;
  CHECK_FALSE(db.writer->in_transaction());
  REQUIRE(db.writer->execute("BEGIN"));
  CHECK(db.writer->in_transaction());
  REQUIRE(db.writer->execute("INSERT INTO t (word) VALUES ($1)", {std::string_view("x")}));
  REQUIRE(db.writer->execute("COMMIT"));
  CHECK_FALSE(db.writer->in_transaction());
  CHECK(db.writer->wal_pages() > 0);
  REQUIRE(db.writer->checkpoint_truncate());
  CHECK(db.writer->wal_pages() == 0);
}
