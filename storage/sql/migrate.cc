#include "storage/sql/migrate.h"

#include <fmt/format.h>

#include "core/crypto/digest.h"

namespace mlops::sql {
namespace {

constexpr const char* kCreateTable =
    "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL)";
constexpr std::string_view kSelect = "SELECT name, sha256 FROM migrations ORDER BY name";
constexpr std::string_view kInsert = "INSERT INTO migrations (name, sha256, applied_at) VALUES ($1, $2, $3)";

Result<std::size_t> check_applied(Connection& connection, const std::vector<EmbeddedFile>& migrations) {
  MLOPS_ASSIGN(auto cursor, connection.query(kSelect));
  std::size_t applied = 0;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return applied;
    if (applied == migrations.size() || cursor.text_view(0) != migrations[applied].name) {
      return fail(ErrorCode::kRefused, "schema_newer",
                  fmt::format("the database has the migration {}, which this mlopsd does not know", cursor.text(0)),
                  "start the mlopsd that wrote this data directory, or a newer one");
    }
    if (cursor.text_view(1) != crypto::sha256(migrations[applied].content).hex()) {
      return fail(ErrorCode::kCorrupt, "migration_changed",
                  fmt::format("the migration {} was applied with another text", cursor.text(0)),
                  "the program or the database was altered; restore the one that fits");
    }
    ++applied;
  }
}

}  // namespace

Result<std::vector<std::string>> migrate(Connection& connection, const std::vector<EmbeddedFile>& migrations,
                                         const Clock& clock) {
  MLOPS_TRY(connection.execute_script(kCreateTable));
  MLOPS_ASSIGN(const std::size_t applied, check_applied(connection, migrations));
  std::vector<std::string> names;
  for (std::size_t i = applied; i < migrations.size(); ++i) {
    const auto& migration = migrations[i];
    MLOPS_TRY(connection.execute_script("BEGIN IMMEDIATE"));
    auto status = connection.execute_script(std::string(migration.content));
    if (status) {
      status = connection.execute(kInsert, {migration.name, crypto::sha256(migration.content).hex(), clock.now_us()});
    }
    if (status) status = connection.execute_script("COMMIT");
    if (!status) {
      (void)connection.execute_script("ROLLBACK");
      return fail(std::move(status.error()));
    }
    names.emplace_back(migration.name);
  }
  return names;
}

}  // namespace mlops::sql
