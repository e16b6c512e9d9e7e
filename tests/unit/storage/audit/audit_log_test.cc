// The chain and the state under it: every kind of tampering is found and named.
#include "storage/audit/audit_log.h"

#include <fmt/format.h>

#include "storage/sql/migrate.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::audit;

namespace {

const FakeClock kClock(1'000'000);

// A database with five entries: four principals made, the second renamed.
class Logged {
 public:
  Logged() : connection_(sql::Connection::open(dir_ / "db", sql::OpenMode::kWriter).value()) {
    REQUIRE(sql::migrate(*connection_, sql::embedded_migrations(), kClock));
    auto log = AuditLog::open(*connection_);
    REQUIRE(log);
    for (const std::string name : {"ann", "bob", "cyd", "dan"}) {
      change(
          *log, "principal.create", "p-" + name,
          fmt::format("INSERT INTO principals (id, name, is_human, created_at) VALUES ('p-{0}', '{0}', 1, 5)", name));
    }
    change(*log, "principal.rename", "p-bob", "UPDATE principals SET name = 'rob' WHERE id = 'p-bob'");
  }

  void change(AuditLog& log, const std::string& action, const std::string& id, const std::string& script) {
    const RowKey row{"principals", id};
    const auto before = row_digest(*connection_, row).value();
    REQUIRE(connection_->execute_script(script));
    const auto after = row_digest(*connection_, row).value();
    model::Principal actor;
    actor.id = "admin-id";
    actor.name = "admin";
    at_us_ += 1'000'000;
    REQUIRE(
        log.append(*connection_, actor, {"127.0.0.1", "req"}, {action, id, "why", "", {{row, before, after}}}, at_us_));
  }

  Result<VerifyReport> verify() { return audit::verify(*connection_); }

  // What verification says after somebody else wrote into the closed database.
  Json problem_after(const std::string& script) {
    connection_.reset();
    connection_ = sql::Connection::open(dir_ / "db", sql::OpenMode::kWriter).value();
    REQUIRE(connection_->execute_script(script));
    const auto report = verify();
    REQUIRE_FALSE(report);
    CHECK(report.error().code == ErrorCode::kCorrupt);
    CHECK(report.error().slug == "audit_broken");
    return parse_json(report.error().detail).value();
  }

  sql::Connection& connection() { return *connection_; }

 private:
  test::TempDir dir_;
  std::unique_ptr<sql::Connection> connection_;
  TimestampUs at_us_ = 0;
};

}  // namespace

TEST_CASE("an honest log verifies, and its head goes on where it was") {
  Logged logged;
  const auto report = logged.verify();
  REQUIRE(report);
  CHECK(report->entries == 5);
  CHECK(report->rows == 4);
  auto log = AuditLog::open(logged.connection());
  REQUIRE(log);
  CHECK(log->mark().seq == 5);
  CHECK(log->mark().hash == report->head);
  logged.change(*log, "principal.delete", "p-dan", "DELETE FROM principals WHERE id = 'p-dan'");
  const auto longer = logged.verify();
  REQUIRE(longer);
  CHECK(longer->entries == 6);
  CHECK(longer->rows == 3);
  CHECK(longer->head != report->head);
}

TEST_CASE("an empty log verifies") {
  const test::TempDir dir;
  auto connection = sql::Connection::open(dir / "db", sql::OpenMode::kWriter).value();
  REQUIRE(sql::migrate(*connection, sql::embedded_migrations(), kClock));
  const auto report = verify(*connection);
  REQUIRE(report);
  CHECK(report->entries == 0);
  CHECK(report->head == std::string(64, '0'));
}

TEST_CASE("a tampered entry is named by its number") {
  struct Row {
    std::string script;
    std::int64_t seq;
  };
  const Row rows[] = {
      // One byte of the body, of the hash, of the time; of each column of the derived index.
      {"UPDATE audit SET body = replace(body, '\"why\"', '\"wha\"') WHERE seq = 3", 3},
      {"UPDATE audit SET body = replace(body, '127.0.0.1', '127.0.0.2') WHERE seq = 1", 1},
      {"UPDATE audit SET body = body || ' ' WHERE seq = 2", 2},
      {"UPDATE audit SET body = 'gone' WHERE seq = 2", 2},
      {"UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 2", 2},
      {"UPDATE audit_index SET actor = 'someone' WHERE seq = 4", 4},
      {"UPDATE audit_index SET action = 'principal.x' WHERE seq = 4", 4},
      {"UPDATE audit_index SET target = 'p-x' WHERE seq = 4", 4},
      {"UPDATE audit_index SET at = at + 1 WHERE seq = 4", 4},
      {"DELETE FROM audit_index WHERE seq = 3", 3},
      // Entries that are gone, moved, or stand where there were none.
      {"DELETE FROM audit WHERE seq = 1", 1},
      {"DELETE FROM audit WHERE seq = 3", 3},
      {"DELETE FROM audit WHERE seq = 5", 5},
      {"UPDATE audit SET seq = 9 WHERE seq = 5", 5},
      {"INSERT INTO audit (seq, hash, body) VALUES (6, 'x', '{}')", 6},
      {"INSERT INTO audit_index (seq, at, actor, action, target) VALUES (6, 1, 'a', 'b', 'c')", 6},
  };
  for (const auto& row : rows) {
    INFO(row.script);
    Logged logged;
    const auto problem = logged.problem_after(row.script);
    REQUIRE(problem.contains("seq"));
    CHECK(problem.at("seq") == row.seq);
    CHECK_FALSE(problem.at("problem").get<std::string>().empty());
  }
}

TEST_CASE("state that was changed beside the log is named by its row") {
  struct Row {
    std::string script;
    std::string row;
  };
  const Row rows[] = {
      {"UPDATE principals SET name = 'eve' WHERE id = 'p-cyd'", "principals/p-cyd"},
      {"UPDATE principals SET is_human = 0 WHERE id = 'p-ann'", "principals/p-ann"},
      {"UPDATE principals SET created_at = NULL WHERE 0; UPDATE principals SET created_at = '5x' WHERE id = 'p-ann'",
       "principals/p-ann"},
      {"DELETE FROM principals WHERE id = 'p-bob'", "principals/p-bob"},
      {"INSERT INTO principals (id, name, is_human, created_at) VALUES ('p-eve', 'eve', 1, 5)", "principals/p-eve"},
      {"INSERT INTO artifacts (id, kind, name, last_number, created_at) VALUES ('a-1', 'model', 'm', 0, 5)",
       "artifacts/a-1"},
      {"UPDATE principals SET id = 'p-new' WHERE id = 'p-dan'", "principals/p-new"},
      // The last entry with its index row, cut together: the rename it recorded is unexplained.
      {"DELETE FROM audit WHERE seq = 5; DELETE FROM audit_index WHERE seq = 5", "principals/p-bob"},
  };
  for (const auto& row : rows) {
    INFO(row.script);
    Logged logged;
    const auto problem = logged.problem_after(row.script);
    REQUIRE(problem.contains("row"));
    CHECK(problem.at("row") == row.row);
  }
}

TEST_CASE("a forged entry with a right hash of its own breaks the chain behind it") {
  Logged logged;
  const auto entries = list_entries(logged.connection(), {});
  REQUIRE(entries);
  auto forged = entries->at(1);
  forged.erase("hash");
  forged["actor"] = "nobody";
  const auto body = canonical_dump(forged);
  const auto script = fmt::format(
      "UPDATE audit SET body = '{}', hash = '{}' WHERE seq = 2; UPDATE audit_index SET actor = 'nobody' WHERE seq = 2",
      body, crypto::sha256(body).hex());
  const auto problem = logged.problem_after(script);
  CHECK(problem.at("seq") == 3);
}

TEST_CASE("row digests tell apart what looks alike") {
  Logged logged;
  const auto digest = [&](const std::string& id) { return row_digest(logged.connection(), {"artifacts", id}).value(); };
  REQUIRE(
      logged.connection().execute_script("INSERT INTO artifacts (id, kind, name, last_number, created_at) VALUES ('a', "
                                         "'ab', 'c', 1, 1), ('b', 'a', 'bc', 1, 1)"));
  CHECK(digest("a") != digest("b"));
  CHECK_FALSE(digest("absent"));
  CHECK(row_digest(logged.connection(), {"audit", "1"}).error().slug == "table_not_audited");
}

TEST_CASE("entries are listed by what a person asks for") {
  Logged logged;
  const auto list = [&](const Filter& filter) {
    std::vector<std::int64_t> seqs;
    const auto entries = list_entries(logged.connection(), filter);
    REQUIRE(entries);
    for (const auto& entry : *entries) seqs.push_back(entry.at("seq"));
    return seqs;
  };
  using Seqs = std::vector<std::int64_t>;
  CHECK(list({}) == Seqs{1, 2, 3, 4, 5});
  CHECK(list({.action = "principal.rename"}) == Seqs{5});
  CHECK(list({.action = "principal."}) == Seqs{1, 2, 3, 4, 5});
  CHECK(list({.action = "princip"}).empty());
  CHECK(list({.target = "p-bob"}) == Seqs{2, 5});
  CHECK(list({.actor = "somebody"}).empty());
  CHECK(list({.since_us = 2'000'000, .until_us = 4'000'000}) == Seqs{2, 3});
  CHECK(list({.after_seq = 3}) == Seqs{4, 5});
  CHECK(list({.limit = 2}) == Seqs{1, 2});
  CHECK(list({.target = "x' OR 1=1 --"}).empty());
  CHECK(list_entries(logged.connection(), {.limit = 1})->front().at("hash").get<std::string>().size() == 64);
}
