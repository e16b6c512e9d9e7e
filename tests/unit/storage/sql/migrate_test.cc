// Migrations: applied once, in order, resumable; strange databases are refused.
#include "storage/sql/migrate.h"

#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::sql;
using Names = std::vector<std::string>;

namespace {

const EmbeddedFile kFirst{"0001_first.sql", "CREATE TABLE a (id TEXT);"};
const EmbeddedFile kSecond{"0002_second.sql", "CREATE TABLE b (id TEXT); INSERT INTO b VALUES ('x');"};
const FakeClock kClock(1'000'000);

struct Database {
  Database() : connection(Connection::open(dir / "db", OpenMode::kWriter).value()) {}
  Result<Names> run(const std::vector<EmbeddedFile>& migrations) { return migrate(*connection, migrations, kClock); }
  bool has_table(std::string_view name) {
    auto cursor = connection->query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", {name});
    return cursor->next().value();
  }
  test::TempDir dir;
  std::unique_ptr<Connection> connection;
};

}  // namespace

TEST_CASE("what is missing is applied, once") {
  Database db;
  CHECK(db.run({kFirst}).value() == Names{"0001_first.sql"});
  CHECK(db.run({kFirst}).value().empty());
  CHECK(db.run({kFirst, kSecond}).value() == Names{"0002_second.sql"});
  CHECK(db.has_table("b"));
}

TEST_CASE("a database of a newer program is left alone") {
  Database db;
  REQUIRE(db.run({kFirst, kSecond}));
  const auto older = db.run({kFirst});
  REQUIRE_FALSE(older);
  CHECK(older.error().code == ErrorCode::kRefused);
  CHECK(older.error().slug == "schema_newer");
  CHECK(older.error().message.find("0002_second.sql") != std::string::npos);
}

TEST_CASE("an applied migration whose text changed is refused before anything is applied") {
  Database db;
  REQUIRE(db.run({kFirst}));
  const EmbeddedFile changed{kFirst.name, "CREATE TABLE a (id INTEGER);"};
  const auto refused = db.run({changed, kSecond});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  CHECK(refused.error().slug == "migration_changed");
  CHECK_FALSE(db.has_table("b"));
}

TEST_CASE("a migration that fails half-way leaves nothing and is resumed") {
  Database db;
  const EmbeddedFile broken{kSecond.name, "CREATE TABLE b (id TEXT); INSERT INTO nowhere VALUES (1);"};
  CHECK_FALSE(db.run({kFirst, broken}));
  CHECK(db.has_table("a"));
  CHECK_FALSE(db.has_table("b"));
  CHECK_FALSE(db.connection->in_transaction());
  CHECK(db.run({kFirst, kSecond}).value() == Names{"0002_second.sql"});
  CHECK(db.has_table("b"));
}

TEST_CASE("the embedded migrations apply to an empty database, in the order of their names") {
  Database db;
  const auto& ours = embedded_migrations();
  REQUIRE_FALSE(ours.empty());
  for (std::size_t i = 1; i < ours.size(); ++i) CHECK(ours[i - 1].name < ours[i].name);
  CHECK(db.run(ours).value().size() == ours.size());
  CHECK(db.has_table("audit"));
}
