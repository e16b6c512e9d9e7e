#include "storage/meta/retention.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/optional_time.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_HOLD_COLUMNS \
  "id, version_id, case_id, reason, placed_at, placed_by, released_at, released_by, released_reason"
#define MLOPS_RUN_COLUMNS \
  "id, state, reason, started_by, started_at, finished_at, trash, receipt, restored_at, swept_at"

constexpr std::string_view kOpenHolds =
    "SELECT " MLOPS_HOLD_COLUMNS " FROM holds WHERE released_at IS NULL ORDER BY id DESC";
constexpr std::string_view kAllHolds = "SELECT " MLOPS_HOLD_COLUMNS " FROM holds ORDER BY id DESC";
constexpr std::string_view kHoldsOf =
    "SELECT " MLOPS_HOLD_COLUMNS " FROM holds WHERE version_id = $1 AND released_at IS NULL ORDER BY id";
constexpr std::string_view kFindHold =
    "SELECT " MLOPS_HOLD_COLUMNS " FROM holds WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2";
constexpr std::string_view kInsertHold =
    "INSERT INTO holds (id, version_id, case_id, reason, placed_at, placed_by) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kReleaseHold =
    "UPDATE holds SET released_at = $2, released_by = $3, released_reason = $4 WHERE id = $1";

constexpr std::string_view kRules =
    "SELECT id, subject, keep_s, set_by, valid_from FROM retention_rules WHERE valid_to IS NULL ORDER BY subject";
constexpr std::string_view kFindRule =
    "SELECT id, subject, keep_s, set_by, valid_from FROM retention_rules WHERE subject = $1 AND valid_to IS NULL";
constexpr std::string_view kCloseRule = "UPDATE retention_rules SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kInsertRule =
    "INSERT INTO retention_rules (id, subject, keep_s, set_by, valid_from) VALUES ($1, $2, $3, $4, $5)";

constexpr std::string_view kRuns = "SELECT " MLOPS_RUN_COLUMNS " FROM gc_runs ORDER BY id DESC LIMIT $1";
constexpr std::string_view kRunsAfter =
    "SELECT " MLOPS_RUN_COLUMNS " FROM gc_runs WHERE id < $2 ORDER BY id DESC LIMIT $1";
constexpr std::string_view kFindRun =
    "SELECT " MLOPS_RUN_COLUMNS " FROM gc_runs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2";
constexpr std::string_view kInsertRun =
    "INSERT INTO gc_runs (id, state, reason, started_by, started_at, trash, receipt) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kUpdateRun =
    "UPDATE gc_runs SET state = $2, finished_at = $3, trash = $4, receipt = $5, restored_at = $6, swept_at = $7 "
    "WHERE id = $1";

HoldRow read_hold(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1),          cursor.text(2), cursor.text(3), cursor.integer(4),
          cursor.text(5), time_or_none(cursor, 6), cursor.text(7), cursor.text(8)};
}

RetentionRule read_rule(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.integer(2), cursor.text(3), cursor.integer(4)};
}

GcRunRow read_run(const sql::Cursor& cursor) {
  return {cursor.text(0),          cursor.text(1), cursor.text(2), cursor.text(3),          cursor.integer(4),
          time_or_none(cursor, 5), cursor.text(6), cursor.text(7), time_or_none(cursor, 8), time_or_none(cursor, 9)};
}

// What one kind of row is called when it is not found.
struct Noun {
  std::string_view name;
  std::string_view slug;
  std::string_view hint;
};

template <class Row>
Result<Row> find_one(sql::Connection& connection, std::string_view query, const std::string& id_or_prefix,
                     Row (*read)(const sql::Cursor&), const Noun& noun) {
  constexpr std::size_t kShortest = 8;
  if (id_or_prefix.size() < kShortest) {
    return fail(ErrorCode::kInvalid, "bad_id",
                fmt::format("a {} is named by at least {} characters of its id", noun.name, kShortest),
                std::string(noun.hint));
  }
  const auto end = id_or_prefix + "g";  // after every hex digit
  MLOPS_ASSIGN(auto cursor, connection.query(query, {std::string_view(id_or_prefix), std::string_view(end)}));
  MLOPS_ASSIGN(auto rows, sql::read_all(std::move(cursor), read));
  if (rows.size() == 1) return std::move(rows.front());
  if (rows.empty()) {
    return fail(ErrorCode::kNotFound, std::string(noun.slug),
                fmt::format("there is no {} \"{}\"", noun.name, printable(id_or_prefix)), std::string(noun.hint));
  }
  return fail(ErrorCode::kConflict, "id_ambiguous",
              fmt::format("\"{}\" could be several: {}, {}", printable(id_or_prefix), rows[0].id, rows[1].id),
              "write more characters");
}

}  // namespace

Result<std::vector<HoldRow>> list_holds(sql::Connection& connection, HoldsShown shown) {
  MLOPS_ASSIGN(auto cursor, connection.query(shown == HoldsShown::kOpen ? kOpenHolds : kAllHolds));
  return sql::read_all(std::move(cursor), read_hold);
}

Result<std::vector<HoldRow>> open_holds_of(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kHoldsOf, {std::string_view(version_id)}));
  return sql::read_all(std::move(cursor), read_hold);
}

Result<HoldRow> find_hold(sql::Connection& connection, const std::string& id_or_prefix) {
  constexpr Noun kNoun{"hold", "hold_not_found", "`mlopsctl hold list` shows all"};
  return find_one<HoldRow>(connection, kFindHold, id_or_prefix, read_hold, kNoun);
}

Status insert_hold(WriteTx& tx, const HoldRow& hold) {
  MLOPS_TRY(tx.touch("holds", hold.id));
  return tx.sql().execute(kInsertHold,
                          {std::string_view(hold.id), std::string_view(hold.version_id), std::string_view(hold.case_id),
                           std::string_view(hold.reason), hold.placed_at_us, std::string_view(hold.placed_by)});
}

Status release_hold(WriteTx& tx, const std::string& id, const std::string& reason) {
  MLOPS_TRY(tx.touch("holds", id));
  return tx.sql().execute(kReleaseHold, {std::string_view(id), tx.now_us(), std::string_view(tx.actor().principal.name),
                                         std::string_view(reason)});
}

Result<std::vector<RetentionRule>> list_rules(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kRules));
  return sql::read_all(std::move(cursor), read_rule);
}

Result<std::optional<RetentionRule>> find_rule(sql::Connection& connection, const std::string& subject) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindRule, {std::string_view(subject)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<RetentionRule>();
  return std::optional(read_rule(cursor));
}

Status set_rule(WriteTx& tx, const std::string& subject, std::optional<std::int64_t> keep_s) {
  MLOPS_ASSIGN(const auto open, find_rule(tx.sql(), subject));
  if (open) {
    MLOPS_TRY(tx.touch("retention_rules", open->id));
    MLOPS_TRY(tx.sql().execute(kCloseRule, {std::string_view(open->id), tx.now_us()}));
  }
  if (!keep_s) return {};
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("retention_rules", id));
  return tx.sql().execute(kInsertRule, {std::string_view(id), std::string_view(subject), *keep_s,
                                        std::string_view(tx.actor().principal.name), tx.now_us()});
}

Result<std::vector<GcRunRow>> list_gc_runs(sql::Connection& connection, const GcRunFilter& filter) {
  const auto limit = static_cast<std::int64_t>(filter.limit);
  if (filter.after_id.empty()) {
    MLOPS_ASSIGN(auto cursor, connection.query(kRuns, {limit}));
    return sql::read_all(std::move(cursor), read_run);
  }
  MLOPS_ASSIGN(auto cursor, connection.query(kRunsAfter, {limit, std::string_view(filter.after_id)}));
  return sql::read_all(std::move(cursor), read_run);
}

Result<GcRunRow> find_gc_run(sql::Connection& connection, const std::string& id_or_prefix) {
  constexpr Noun kNoun{"collection", "gc_run_not_found", "`mlopsctl gc runs` lists them"};
  return find_one<GcRunRow>(connection, kFindRun, id_or_prefix, read_run, kNoun);
}

Status insert_gc_run(WriteTx& tx, const GcRunRow& run) {
  MLOPS_TRY(tx.touch("gc_runs", run.id));
  return tx.sql().execute(kInsertRun, {std::string_view(run.id), std::string_view(run.state),
                                       std::string_view(run.reason), std::string_view(run.started_by),
                                       run.started_at_us, std::string_view(run.trash), std::string_view(run.receipt)});
}

Status update_gc_run(WriteTx& tx, const GcRunRow& run) {
  MLOPS_TRY(tx.touch("gc_runs", run.id));
  return tx.sql().execute(kUpdateRun,
                          {std::string_view(run.id), std::string_view(run.state), time_or_null(run.finished_at_us),
                           std::string_view(run.trash), std::string_view(run.receipt), time_or_null(run.restored_at_us),
                           time_or_null(run.swept_at_us)});
}

}  // namespace mlops::meta
