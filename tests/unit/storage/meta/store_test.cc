// The unit of work: one writer for all, everything or nothing, and a log that is always true.
#include "storage/meta/store.h"

#include <atomic>
#include <set>
#include <thread>

#include "storage/meta/identity.h"
#include "tests/unit/storage/meta/store_fixture.h"

using namespace mlops;
using namespace mlops::meta;
using test::StoreFixture;

namespace {

Status add_principal(WriteTx& tx, const std::string& name) {
  tx.begin_entry("principal.create", name);
  return insert_principal(tx, {"id-" + name, name, true});
}

}  // namespace

TEST_CASE("64 threads that write at once are all answered, and the log holds each of them once") {
  StoreFixture f;
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      if (f.write([&](WriteTx& tx) { return add_principal(tx, "p" + std::to_string(i)); })) ++answered;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answered == 64);
  CHECK(f.count("principals") == 64);
  const auto report = f.verified();
  CHECK(report.entries == 64);
  CHECK(report.rows == 64);
}

TEST_CASE("a closure that fails leaves nothing and does not disturb those committed with it") {
  StoreFixture f;
  std::atomic<int> kept{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 63; ++i) {
    threads.emplace_back([&, i] {
      const auto status = f.write([&](WriteTx& tx) -> Status {
        MLOPS_TRY(add_principal(tx, "p" + std::to_string(i)));
        if (i % 3 == 0) return fail(ErrorCode::kRefused, "no_thanks", "changed its mind");
        if (i % 3 == 1) return insert_principal(tx, {"id-x", "p" + std::to_string(i), true});  // the name again
        return {};
      });
      if (status) {
        ++kept;
      } else if (status.error().slug == (i % 3 == 0 ? "no_thanks" : "constraint")) {
        ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(kept == 21);
  CHECK(refused == 42);
  CHECK(f.count("principals") == 21);
  CHECK(f.verified().entries == 21);
}

TEST_CASE("a dry run does everything, keeps nothing and does not move the chain") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "ann"); }));
  const auto before = f.verified();
  const auto answer = f.store->write<std::int64_t>(f.actor, Commit::kDryRun, [](WriteTx& tx) -> Result<std::int64_t> {
    MLOPS_TRY(add_principal(tx, "bob"));
    MLOPS_ASSIGN(auto cursor, tx.sql().query("SELECT COUNT(*) FROM principals"));
    MLOPS_TRY(cursor.next());
    return cursor.integer(0);
  });
  CHECK(answer.value() == 2);
  CHECK(f.count("principals") == 1);
  const auto after = f.verified();
  CHECK(after.head == before.head);
  CHECK(after.entries == before.entries);
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "bob"); }));
  CHECK(f.verified().entries == 2);
}

TEST_CASE("a dry run refuses what a real one would refuse") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "ann"); }));
  const auto dry = f.write([](WriteTx& tx) { return add_principal(tx, "ann"); }, Commit::kDryRun);
  REQUIRE_FALSE(dry);
  CHECK(dry.error().code == ErrorCode::kConflict);
}

TEST_CASE("a change that no entry announces is a defect and is not kept") {
  StoreFixture f;
  const auto status = f.write([](WriteTx& tx) { return insert_principal(tx, {"id", "ann", true}); });
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kInternal);
  CHECK(status.error().slug == "change_without_entry");
  CHECK(f.count("principals") == 0);
  CHECK(f.verified().entries == 0);
}

TEST_CASE("a change behind the log's back is found by verification") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) {
    return tx.sql().execute("INSERT INTO principals (id, name, is_human, created_at) VALUES ('x', 'x', 1, 1)");
  }));
  const auto report =
      f.read<audit::VerifyReport>([](sql::Connection& connection) { return audit::verify(connection); });
  REQUIRE_FALSE(report);
  CHECK(report.error().detail.find("principals/x") != std::string::npos);
}

TEST_CASE("several entries of one transaction that touch the same row replay in order") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) -> Status {
    MLOPS_TRY(add_principal(tx, "ann"));
    tx.begin_entry("principal.rename", "ann");
    MLOPS_TRY(tx.touch("principals", "id-ann"));
    MLOPS_TRY(tx.sql().execute("UPDATE principals SET name = 'eve' WHERE id = 'id-ann'"));
    tx.begin_entry("principal.delete", "eve");
    MLOPS_TRY(tx.touch("principals", "id-ann"));
    return tx.sql().execute("DELETE FROM principals WHERE id = 'id-ann'");
  }));
  const auto report = f.verified();
  CHECK(report.entries == 3);
  CHECK(report.rows == 0);
}

TEST_CASE("time never runs backwards, whatever the clock does, nor across a restart") {
  StoreFixture f;
  std::vector<TimestampUs> moments;
  const auto tick = [&] {
    REQUIRE(f.write([&](WriteTx& tx) -> Status {
      moments.push_back(tx.now_us());
      tx.begin_entry("tick", "tock");
      return {};
    }));
  };
  tick();
  tick();
  f.clock.advance_us(5'000'000);
  tick();
  CHECK(moments.back() == StoreFixture::kStartUs + 5'000'000);
  f.clock.set_us(1);
  tick();
  f.reopen();
  tick();
  for (std::size_t i = 1; i < moments.size(); ++i) CHECK(moments[i - 1] < moments[i]);
  CHECK(f.verified().entries == 5);
}

TEST_CASE("readers see one moment and cannot write") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "ann"); }));
  const auto seen = f.read<std::int64_t>([&](sql::Connection& connection) -> Result<std::int64_t> {
    const auto count = [&]() -> Result<std::int64_t> {
      MLOPS_ASSIGN(auto cursor, connection.query("SELECT COUNT(*) FROM principals"));
      MLOPS_TRY(cursor.next());
      return cursor.integer(0);
    };
    MLOPS_ASSIGN(const auto before, count());
    MLOPS_TRY(f.write([](WriteTx& tx) { return add_principal(tx, "bob"); }));
    MLOPS_ASSIGN(const auto after, count());
    return before * 10 + after;
  });
  CHECK(seen.value() == 11);
  CHECK(f.count("principals") == 2);
  const auto written = f.read<bool>([](sql::Connection& connection) -> Result<bool> {
    MLOPS_TRY(connection.execute("DELETE FROM principals"));
    return true;
  });
  CHECK_FALSE(written);
  CHECK(f.count("principals") == 2);
}

TEST_CASE("what was answered is there after a restart, with the chain going on") {
  StoreFixture f;
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "ann"); }));
  const auto head = f.verified().head;
  f.reopen();
  CHECK(f.verified().head == head);
  REQUIRE(f.write([](WriteTx& tx) { return add_principal(tx, "bob"); }));
  CHECK(f.verified().entries == 2);
}

TEST_CASE("ids are new and in the order of their making") {
  StoreFixture f;
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(f.write([&](WriteTx& tx) -> Status {
      for (int j = 0; j < 100; ++j) ids.push_back(tx.new_id());
      return {};
    }));
  }
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 300);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
}
