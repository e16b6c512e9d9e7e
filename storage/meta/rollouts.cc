#include "storage/meta/rollouts.h"

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "storage/meta/optional_time.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_ROLLOUT_COLUMNS                                                                           \
  "id, state, state_reason, selector, refs, reason, waves, pause_s, on_failure, token_id, created_by, " \
  "created_at, changed_at, resume_at"

constexpr std::string_view kInsert = "INSERT INTO rollouts (" MLOPS_ROLLOUT_COLUMNS
                                     ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
constexpr std::string_view kUpdate =
    "UPDATE rollouts SET state = $2, state_reason = $3, token_id = $4, changed_at = $5, resume_at = $6 WHERE id = $1";
constexpr std::string_view kFind =
    "SELECT " MLOPS_ROLLOUT_COLUMNS " FROM rollouts WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2";
constexpr std::string_view kList = "SELECT " MLOPS_ROLLOUT_COLUMNS
                                   " FROM rollouts WHERE ($1 = '' OR state = $1) AND ($2 = '' OR id < $2) "
                                   "ORDER BY id DESC LIMIT $3";
constexpr std::string_view kOpen = "SELECT " MLOPS_ROLLOUT_COLUMNS
                                   " FROM rollouts WHERE state IN ('running', 'rolling_back') OR (state = 'paused' AND "
                                   "resume_at IS NOT NULL) ORDER BY id";
constexpr std::string_view kInsertStep =
    "INSERT INTO rollout_steps (id, rollout_id, position, wave, environment, state, plan_id, deployment_id, detail, "
    "changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr std::string_view kUpdateStep =
    "UPDATE rollout_steps SET state = $2, plan_id = $3, deployment_id = $4, detail = $5, changed_at = $6 WHERE id = $1";
constexpr std::string_view kSteps =
    "SELECT id, rollout_id, position, wave, environment, state, plan_id, deployment_id, detail, changed_at "
    "FROM rollout_steps WHERE rollout_id = $1 ORDER BY position";
constexpr std::string_view kStarter =
    "SELECT r.created_by FROM rollout_steps s JOIN rollouts r ON r.id = s.rollout_id WHERE s.plan_id = $1 LIMIT 1";

// What is asked for, in the column `refs`: a list, or with terms beside it {"refs": […], "even_rejected": true}.
std::string asked_text(const RolloutRow& row) {
  if (!row.accepts_rejected) return canonical_dump(Json(row.refs));
  return canonical_dump({{"refs", row.refs}, {"even_rejected", true}});
}

Status take_asked(const std::string& text, RolloutRow& row) {
  MLOPS_ASSIGN(const auto json, parse_json(text));
  row.accepts_rejected = json.is_object();
  const auto refs = json.is_object() ? json.value("refs", Json::array()) : json;
  for (const auto& ref : refs) row.refs.push_back(ref.is_string() ? ref.get<std::string>() : std::string());
  return {};
}

Result<RolloutRow> read_row(const sql::Cursor& cursor) {
  RolloutRow row;
  row.id = cursor.text(0);
  row.state = cursor.text(1);
  row.state_reason = cursor.text(2);
  row.selector = cursor.text(3);
  MLOPS_TRY(take_asked(cursor.text(4), row));
  row.reason = cursor.text(5);
  row.waves = cursor.integer(6);
  row.pause_s = cursor.integer(7);
  row.on_failure = cursor.text(8);
  row.token_id = cursor.text(9);
  row.created_by = cursor.text(10);
  row.created_at_us = cursor.integer(11);
  row.changed_at_us = cursor.integer(12);
  if (!cursor.is_null(13)) row.resume_at_us = cursor.integer(13);
  return row;
}

Result<std::vector<RolloutRow>> read_rows(sql::Cursor cursor) {
  return sql::read_all(std::move(cursor), read_row);
}

}  // namespace

Status insert_rollout(WriteTx& tx, const RolloutRow& row) {
  MLOPS_TRY(tx.touch("rollouts", row.id));
  const auto asked = asked_text(row);
  return tx.sql().execute(
      kInsert,
      {std::string_view(row.id), std::string_view(row.state), std::string_view(row.state_reason),
       std::string_view(row.selector), std::string_view(asked), std::string_view(row.reason), row.waves, row.pause_s,
       std::string_view(row.on_failure), std::string_view(row.token_id), std::string_view(row.created_by),
       row.created_at_us, row.changed_at_us, time_or_null(row.resume_at_us)});
}

Status update_rollout(WriteTx& tx, const RolloutRow& row) {
  MLOPS_TRY(tx.touch("rollouts", row.id));
  return tx.sql().execute(kUpdate,
                          {std::string_view(row.id), std::string_view(row.state), std::string_view(row.state_reason),
                           std::string_view(row.token_id), row.changed_at_us, time_or_null(row.resume_at_us)});
}

Result<RolloutRow> find_rollout(sql::Connection& connection, const std::string& id_or_prefix) {
  if (id_or_prefix.size() < 8) {
    return fail(ErrorCode::kInvalid, "bad_id", "a rollout is named by at least 8 characters of its id",
                "`mlopsctl rollout list` lists them");
  }
  const auto end = id_or_prefix + "g";
  MLOPS_ASSIGN(auto cursor, connection.query(kFind, {std::string_view(id_or_prefix), std::string_view(end)}));
  MLOPS_ASSIGN(auto rows, read_rows(std::move(cursor)));
  if (rows.size() == 1) return std::move(rows.front());
  if (rows.empty()) {
    return fail(ErrorCode::kNotFound, "rollout_not_found",
                fmt::format("there is no rollout \"{}\"", printable(id_or_prefix.substr(0, 80))),
                "`mlopsctl rollout list` lists them");
  }
  return fail(ErrorCode::kConflict, "id_ambiguous", "several rollouts begin like this", "write more characters");
}

Result<std::vector<RolloutRow>> list_rollouts(sql::Connection& connection, const RolloutFilter& filter) {
  MLOPS_ASSIGN(auto cursor, connection.query(kList, {std::string_view(filter.state), std::string_view(filter.after_id),
                                                     static_cast<std::int64_t>(filter.limit)}));
  return read_rows(std::move(cursor));
}

Result<std::vector<RolloutRow>> open_rollouts(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOpen));
  return read_rows(std::move(cursor));
}

Status insert_step(WriteTx& tx, const RolloutStepRow& row) {
  MLOPS_TRY(tx.touch("rollout_steps", row.id));
  return tx.sql().execute(
      kInsertStep, {std::string_view(row.id), std::string_view(row.rollout_id), row.position, row.wave,
                    std::string_view(row.environment), std::string_view(row.state), std::string_view(row.plan_id),
                    std::string_view(row.deployment_id), std::string_view(row.detail), row.changed_at_us});
}

Status update_step(WriteTx& tx, const RolloutStepRow& row) {
  MLOPS_TRY(tx.touch("rollout_steps", row.id));
  return tx.sql().execute(kUpdateStep,
                          {std::string_view(row.id), std::string_view(row.state), std::string_view(row.plan_id),
                           std::string_view(row.deployment_id), std::string_view(row.detail), row.changed_at_us});
}

Result<std::string> rollout_starter(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kStarter, {std::string_view(plan_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? cursor.text(0) : std::string();
}

Result<std::vector<RolloutStepRow>> steps_of(sql::Connection& connection, const std::string& rollout_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kSteps, {std::string_view(rollout_id)}));
  std::vector<RolloutStepRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back({cursor.text(0), cursor.text(1), cursor.integer(2), cursor.integer(3), cursor.text(4),
                    cursor.text(5), cursor.text(6), cursor.text(7), cursor.text(8), cursor.integer(9)});
  }
}

}  // namespace mlops::meta
