// Deployments: what ran where from when to when, and as far as it was known when.
#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/interval.h"
#include "storage/meta/optional_time.h"
#include "storage/meta/releases.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_DEPLOYMENT_HEAD \
  "SELECT d.id, d.environment, d.kind, d.name, d.release_id, r.number, d.plan_id, d.action, d.reason, d.created_by, "
#define MLOPS_DEPLOYMENT_COLUMNS MLOPS_DEPLOYMENT_HEAD "d.valid_from, d.valid_to"

constexpr std::string_view kStarted =
    MLOPS_DEPLOYMENT_COLUMNS " FROM deployments d JOIN releases r ON r.id = d.release_id WHERE d.valid_from <= $1";
// By the lines, whatever the planner knows: what runs costs what runs, not what ever ran.
constexpr std::string_view kRunning = MLOPS_DEPLOYMENT_COLUMNS
    " FROM deployment_lines l CROSS JOIN deployments d JOIN releases r ON r.id = d.release_id "
    "WHERE d.id = l.running_id AND d.valid_from <= $1";
// The newest of each line that had begun by then, so that the cost is that of the lines and not of their history.
constexpr std::string_view kRanAt = MLOPS_DEPLOYMENT_COLUMNS
    " FROM deployment_lines l JOIN deployments d ON d.id = (SELECT x.id FROM deployments x WHERE "
    "x.environment = l.environment AND x.name = l.name AND x.kind = l.kind AND x.valid_from <= $1 "
    "ORDER BY x.valid_from DESC, x.id DESC LIMIT 1) JOIN releases r ON r.id = d.release_id "
    "WHERE (d.valid_to IS NULL OR d.valid_to > $1)";
// What was known at $2: rows recorded by then, with the belief of then, and no end that came later.
constexpr std::string_view kKnownAt =
    "SELECT k.* FROM (" MLOPS_DEPLOYMENT_HEAD
    "COALESCE(b.valid_from, d.valid_from) AS valid_from, "
    "CASE WHEN b.id IS NOT NULL AND (b.valid_to IS NULL OR b.valid_to > $2) THEN NULL WHEN b.id IS NOT NULL THEN "
    "b.valid_to "
    "WHEN d.valid_to > $2 THEN NULL ELSE d.valid_to END AS valid_to FROM deployments d "
    "JOIN releases r ON r.id = d.release_id LEFT JOIN deployment_beliefs b ON b.deployment_id = d.id "
    "AND b.known_from <= $2 AND b.known_to > $2 WHERE d.recorded_at <= $2";
constexpr std::string_view kEnvironmentsOf =
    "SELECT DISTINCT d.environment FROM release_members m JOIN deployments d ON d.release_id = m.release_id "
    "WHERE m.version_id = $1 AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2) ORDER BY d.environment";
constexpr std::string_view kCloseDeployment = "UPDATE deployments SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kInsertDeployment =
    "INSERT INTO deployments (id, environment, kind, name, release_id, plan_id, action, reason, created_by, "
    "valid_from, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
constexpr std::string_view kInsertLine =
    "INSERT INTO deployment_lines (environment, name, kind, running_id) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (environment, name, kind) DO UPDATE SET running_id = $4";
constexpr std::string_view kLineEnds =
    "UPDATE deployment_lines SET running_id = NULL WHERE running_id = $1 AND (environment, name, kind) = "
    "(SELECT environment, name, kind FROM deployments WHERE id = $1)";
constexpr std::string_view kEnvironmentsEver =
    "SELECT DISTINCT d.environment FROM release_members m CROSS JOIN deployments d WHERE m.version_id = $1 "
    "AND d.release_id = m.release_id ORDER BY d.environment";
constexpr std::string_view kOthersEnded =
    "SELECT COUNT(*) FROM deployments WHERE environment = $1 AND valid_to = $2 AND NOT (name = $3 AND kind = $4)";
constexpr std::string_view kFind = MLOPS_DEPLOYMENT_COLUMNS
    ", d.recorded_at FROM deployments d JOIN releases r ON r.id = d.release_id "
    "WHERE d.id >= $1 AND d.id < $2 ORDER BY d.id LIMIT 2";
constexpr std::string_view kBefore = MLOPS_DEPLOYMENT_COLUMNS
    ", d.recorded_at FROM deployments d JOIN releases r ON r.id = d.release_id "
    "WHERE d.environment = $1 AND d.name = $2 AND d.kind = $3 AND d.valid_from < $4 AND d.id <> $5 "
    "ORDER BY d.valid_from DESC LIMIT 1";
constexpr std::string_view kLastBelief = "SELECT MAX(known_to) FROM deployment_beliefs WHERE deployment_id = $1";
constexpr std::string_view kInsertBelief =
    "INSERT INTO deployment_beliefs (id, deployment_id, valid_from, valid_to, known_from, known_to, corrected_by, "
    "reason) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kSetInterval = "UPDATE deployments SET valid_from = $2, valid_to = $3 WHERE id = $1";

DeploymentRow read_deployment(const sql::Cursor& cursor) {
  DeploymentRow row;
  row.id = cursor.text(0);
  row.environment = cursor.text(1);
  row.kind = cursor.text(2);
  row.name = cursor.text(3);
  row.release_id = cursor.text(4);
  row.release_number = cursor.integer(5);
  row.plan_id = cursor.text(6);
  row.action = cursor.text(7);
  row.reason = cursor.text(8);
  row.created_by = cursor.text(9);
  row.valid_from_us = cursor.integer(10);
  if (!cursor.is_null(11)) row.valid_to_us = cursor.integer(11);
  return row;
}

// A deployment with the time it was recorded.
struct Recorded {
  DeploymentRow row;
  TimestampUs recorded_at_us = 0;
};

Recorded read_recorded(const sql::Cursor& cursor) {
  return {read_deployment(cursor), cursor.integer(12)};
}

std::string_view base_query(const DeploymentFilter& filter) {
  if (filter.known_at_us != 0) return kKnownAt;
  if (!filter.running_only) return kStarted;
  return filter.as_of_us == 0 ? kRunning : kRanAt;
}

// Keeps what is believed of the row until now, then believes the other interval.
Status believe(WriteTx& tx, const Recorded& of, const DeploymentRow& now, const std::string& reason) {
  auto known_from_us = of.recorded_at_us;
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kLastBelief, {std::string_view(of.row.id)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found && !cursor.is_null(0)) known_from_us = cursor.integer(0);
  }
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("deployment_beliefs", id));
  MLOPS_TRY(tx.sql().execute(kInsertBelief, {std::string_view(id), std::string_view(of.row.id), of.row.valid_from_us,
                                             time_or_null(of.row.valid_to_us), known_from_us, tx.now_us(),
                                             std::string_view(tx.actor().principal.name), std::string_view(reason)}));
  MLOPS_TRY(tx.touch("deployments", now.id));
  return tx.sql().execute(kSetInterval, {std::string_view(now.id), now.valid_from_us, time_or_null(now.valid_to_us)});
}

Result<Recorded> find_recorded(sql::Connection& connection, const std::string& id) {
  constexpr std::size_t kShortest = 8;
  const auto end = id + "g";
  if (id.size() >= kShortest) {
    MLOPS_ASSIGN(auto cursor, connection.query(kFind, {std::string_view(id), std::string_view(end)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found) {
      auto first = read_recorded(cursor);
      MLOPS_ASSIGN(const bool more, cursor.next());
      if (!more) return first;
      return fail(ErrorCode::kConflict, "deployment_ambiguous", "that could be several deployments",
                  "write more characters");
    }
  }
  return fail(ErrorCode::kNotFound, "deployment_not_found", fmt::format("there is no deployment \"{}\"", printable(id)),
              "`mlopsctl history -o wide` shows their ids");
}

}  // namespace

Result<DeploymentRow> get_deployment(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto rows, list_deployments(connection, {.id = id, .limit = 1}));
  if (!rows.empty()) return std::move(rows.front());
  return fail(ErrorCode::kNotFound, "deployment_not_found", fmt::format("there is no deployment {}", printable(id)));
}

Result<std::vector<DeploymentRow>> list_deployments(sql::Connection& connection, const DeploymentFilter& filter) {
  std::string query(base_query(filter));
  const bool is_of_then = filter.known_at_us != 0;
  std::vector<sql::Value> values{moment(filter.as_of_us)};
  if (is_of_then) values.emplace_back(filter.known_at_us);
  const auto add = [&](std::string_view clause, std::string_view value) {
    if (value.empty()) return;
    values.emplace_back(value);
    query += fmt::format(fmt::runtime(clause), values.size());
  };
  // In the lines, so that no history of another line is looked at.
  const bool by_line = filter.running_only && !is_of_then;
  add(by_line ? " AND l.environment = ${}" : " AND d.environment = ${}", filter.environment);
  add(by_line ? " AND l.name = ${}" : " AND d.name = ${}", filter.name);
  add(by_line ? " AND l.kind = ${}" : " AND d.kind = ${}", filter.kind);
  add(" AND d.id = ${}", filter.id);
  add(" AND d.release_id = ${}", filter.release_id);
  add(" AND d.plan_id = ${}", filter.plan_id);
  add(" AND d.created_by = ${}", filter.created_by);
  add(" AND d.release_id IN (SELECT m.release_id FROM release_members m WHERE m.version_id = ${})", filter.version_id);
  // Moments of the past are paged by lines: what is not on the page is not looked for.
  const bool pages_by_line = by_line && filter.as_of_us != 0;
  add(pages_by_line
          ? " AND (l.environment, l.name, l.kind) > (SELECT environment, name, kind FROM deployments WHERE id = ${})"
          : " AND d.id < ${}",
      filter.after_id);
  if (is_of_then) {
    query += ") k WHERE k.valid_from <= $1";
    if (filter.running_only) query += " AND (k.valid_to IS NULL OR k.valid_to > $1)";
  }
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  query += fmt::format(" ORDER BY {} LIMIT ${}",
                       pages_by_line ? "l.environment, l.name, l.kind"
                       : is_of_then  ? "k.id DESC"
                                     : "d.id DESC",
                       values.size());
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  return sql::read_all(std::move(cursor), read_deployment);
}

Result<std::vector<std::string>> environments_of(sql::Connection& connection, const std::string& version_id,
                                                 TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kEnvironmentsOf, {std::string_view(version_id), moment(as_of_us)}));
  return sql::read_texts(std::move(cursor));
}

Result<std::vector<std::string>> environments_ever(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kEnvironmentsEver, {std::string_view(version_id)}));
  return sql::read_texts(std::move(cursor));
}

Status close_deployment(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("deployments", id));
  MLOPS_TRY(tx.sql().execute(kLineEnds, {std::string_view(id)}));
  return tx.sql().execute(kCloseDeployment, {std::string_view(id), tx.now_us()});
}

Status insert_deployment(WriteTx& tx, const DeploymentRow& row) {
  MLOPS_TRY(tx.touch("deployments", row.id));
  MLOPS_TRY(tx.sql().execute(kInsertLine, {std::string_view(row.environment), std::string_view(row.name),
                                           std::string_view(row.kind), std::string_view(row.id)}));
  return tx.sql().execute(kInsertDeployment,
                          {std::string_view(row.id), std::string_view(row.environment), std::string_view(row.kind),
                           std::string_view(row.name), std::string_view(row.release_id), std::string_view(row.plan_id),
                           std::string_view(row.action), std::string_view(row.reason), std::string_view(row.created_by),
                           row.valid_from_us, tx.now_us()});
}

Result<DeploymentRow> correct_deployment(WriteTx& tx, const Correction& correction) {
  MLOPS_ASSIGN(const auto found, find_recorded(tx.sql(), correction.deployment_id));
  const auto bad = [](const std::string& message) {
    return fail(ErrorCode::kInvalid, "bad_correction", message,
                "`mlopsctl history -o wide` shows what ran from when to when");
  };
  if (found.row.valid_from_us == correction.valid_from_us) return bad("it is known to have begun then already");
  auto corrected = found.row;
  corrected.valid_from_us = correction.valid_from_us;
  if (corrected.valid_from_us >= corrected.valid_to_us.value_or(tx.now_us())) {
    return bad("it would begin after it ended, or in the future");
  }
  std::optional<Recorded> before;
  {
    MLOPS_ASSIGN(auto cursor,
                 tx.sql().query(kBefore, {std::string_view(found.row.environment), std::string_view(found.row.name),
                                          std::string_view(found.row.kind), found.row.valid_from_us,
                                          std::string_view(found.row.id)}));
    MLOPS_ASSIGN(const bool has_before, cursor.next());
    if (has_before) before = read_recorded(cursor);
  }
  if (before && before->row.valid_from_us >= correction.valid_from_us) {
    return bad("it would begin before the release before it did");
  }
  // The one before that ended earlier, by another release, keeps its end unless the two would overlap.
  const bool is_adjacent = before && before->row.valid_to_us == found.row.valid_from_us;
  const bool overlaps = before && before->row.valid_to_us && *before->row.valid_to_us > correction.valid_from_us;
  if (before && !is_adjacent && !overlaps) before.reset();
  if (before && overlaps && !is_adjacent) return bad("another release ran under this name until later than that");
  if (correction.valid_from_us < found.row.valid_from_us) {
    MLOPS_ASSIGN(auto cursor,
                 tx.sql().query(kOthersEnded, {std::string_view(found.row.environment), found.row.valid_from_us,
                                               std::string_view(found.row.name), std::string_view(found.row.kind)}));
    MLOPS_TRY(cursor.next());
    if (cursor.integer(0) > 0) return bad("it took the place of releases with other names, which ran until it began");
  }
  tx.begin_entry("deployment.correct", fmt::format("{} in {}", found.row.name, found.row.environment),
                 correction.reason);
  if (before) {
    auto shortened = before->row;
    shortened.valid_to_us = correction.valid_from_us;
    MLOPS_TRY(believe(tx, *before, shortened, correction.reason));
  }
  MLOPS_TRY(believe(tx, found, corrected, correction.reason));
  return corrected;
}

}  // namespace mlops::meta
