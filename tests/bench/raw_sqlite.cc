// The rival of the durable-writes figure: single-row commits through the SQLite C API, prepared, WAL, synchronous=FULL,
// one connection, on the same disk. Usage: bench_raw_sqlite FOLDER SECONDS → one line of JSON on stdout.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRowBytes = 150;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

[[noreturn]] void die(const char* what, sqlite3* database) {
  std::fprintf(stderr, "bench_raw_sqlite: %s: %s\n", what, database ? sqlite3_errmsg(database) : "no memory");
  std::exit(1);
}

Database open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(path.c_str(), &raw);
  Database database(raw);
  if (code != SQLITE_OK) die("cannot open", raw);
  const char* setup =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL);";
  if (sqlite3_exec(raw, setup, nullptr, nullptr, nullptr) != SQLITE_OK) die("cannot set up", raw);
  return database;
}

// Commits one row at a time until the time is over; the duration of each in microseconds.
std::vector<std::uint32_t> commit_rows(sqlite3* database, double seconds) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, "INSERT INTO rows (body) VALUES ($1)", -1, &raw, nullptr) != SQLITE_OK) {
    die("cannot prepare", database);
  }
  const Statement insert(raw);
  const std::string body(kRowBytes, 'x');
  std::vector<std::uint32_t> microseconds;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (auto before = Clock::now(); before < end;) {
    sqlite3_bind_text(insert.get(), 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
    if (sqlite3_step(insert.get()) != SQLITE_DONE) die("cannot insert", database);
    sqlite3_reset(insert.get());
    const auto after = Clock::now();
    microseconds.push_back(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(after - before).count()));
    before = after;
  }
  return microseconds;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 3 ? std::atof(argv[2]) : 0;
  if (seconds <= 0) {
    std::fprintf(stderr, "usage: bench_raw_sqlite FOLDER SECONDS\n");
    return 2;
  }
  const auto database = open_database(std::string(argv[1]) + "/raw.db");
  auto times = commit_rows(database.get(), seconds);
  std::sort(times.begin(), times.end());
  std::printf("{\"commits\": %zu, \"per_s\": %.0f, \"p50_us\": %u, \"p99_us\": %u}\n", times.size(),
              static_cast<double>(times.size()) / seconds, times[times.size() / 2], times[times.size() * 99 / 100]);
  return 0;
}
