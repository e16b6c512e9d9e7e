#include "storage/meta/webhooks.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_WEBHOOK_COLUMNS                                                                                  \
  "id, name, url, mode, events, subject, environment, state, secret, secret_key, old_secret, old_secret_key, " \
  "old_secret_until, created_at, created_by, changed_at, changed_by"
#define MLOPS_HELD_COLUMNS "seq, subject, state, attempts, next_attempt_at, last_status, last_error, changed_at"

constexpr std::string_view kList = "SELECT " MLOPS_WEBHOOK_COLUMNS " FROM webhooks ORDER BY name";
constexpr std::string_view kFind = "SELECT " MLOPS_WEBHOOK_COLUMNS " FROM webhooks WHERE name = $1 OR id = $1";
constexpr std::string_view kInsert =
    "INSERT INTO webhooks (" MLOPS_WEBHOOK_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
constexpr std::string_view kUpdate =
    "UPDATE webhooks SET state = $2, secret = $3, secret_key = $4, old_secret = $5, old_secret_key = $6, "
    "old_secret_until = $7, changed_at = $8, changed_by = $9 WHERE id = $1";
constexpr std::string_view kDelete = "DELETE FROM webhooks WHERE id = $1";
constexpr std::string_view kDeleteProgress = "DELETE FROM webhook_progress WHERE webhook_id = $1";
constexpr std::string_view kDeleteHeld = "DELETE FROM webhook_held WHERE webhook_id = $1";

constexpr std::string_view kFindProgress =
    "SELECT cursor, delivered, failed, resting_until, last_status, last_error, last_attempt_at, last_delivered_at "
    "FROM webhook_progress WHERE webhook_id = $1";
constexpr std::string_view kPutProgress =
    "INSERT INTO webhook_progress (webhook_id, cursor, delivered, failed, resting_until, last_status, last_error, "
    "last_attempt_at, last_delivered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (webhook_id) DO "
    "UPDATE SET cursor = $2, delivered = $3, failed = $4, resting_until = $5, last_status = $6, last_error = $7, "
    "last_attempt_at = $8, last_delivered_at = $9";

constexpr std::string_view kPutHeld =
    "INSERT INTO webhook_held (webhook_id, " MLOPS_HELD_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (webhook_id, seq) DO UPDATE SET state = $4, "
    "attempts = $5, next_attempt_at = $6, last_status = $7, last_error = $8, changed_at = $9";
constexpr std::string_view kDropHeld = "DELETE FROM webhook_held WHERE webhook_id = $1 AND seq = $2";
constexpr std::string_view kDropHeldAfter = "DELETE FROM webhook_held WHERE webhook_id = $1 AND seq > $2";
constexpr std::string_view kReviveDead =
    "UPDATE webhook_held SET state = 'held', attempts = 0, next_attempt_at = 0, changed_at = $2 "
    "WHERE webhook_id = $1 AND state = 'dead'";
constexpr std::string_view kMakeDue =
    "UPDATE webhook_held SET next_attempt_at = 0 WHERE webhook_id = $1 AND state = 'held' AND next_attempt_at > 0";

constexpr std::string_view kDueLanes =
    "SELECT " MLOPS_HELD_COLUMNS
    " FROM webhook_held h WHERE h.webhook_id = $1 AND h.state = 'held' AND h.next_attempt_at <= $2 AND NOT EXISTS "
    "(SELECT 1 FROM webhook_held e WHERE e.webhook_id = $1 AND e.state = 'held' AND e.subject = h.subject AND "
    "e.seq < h.seq) ORDER BY h.seq LIMIT $3";
constexpr std::string_view kLane =
    "SELECT " MLOPS_HELD_COLUMNS
    " FROM webhook_held WHERE webhook_id = $1 AND state = 'held' AND subject = $2 ORDER BY seq LIMIT $3";
constexpr std::string_view kIsLaneHeld =
    "SELECT EXISTS (SELECT 1 FROM webhook_held WHERE webhook_id = $1 AND state = 'held' AND subject = $2)";
constexpr std::string_view kFindHeld =
    "SELECT " MLOPS_HELD_COLUMNS " FROM webhook_held WHERE webhook_id = $1 AND seq = $2";
constexpr std::string_view kListHeld =
    "SELECT " MLOPS_HELD_COLUMNS
    " FROM webhook_held WHERE webhook_id = $1 AND state = $2 AND seq > $3 ORDER BY seq LIMIT $4";
// The least of the lanes' first events, not of all: those behind them wait without a time of their own.
constexpr std::string_view kNextDue =
    "SELECT MIN(h.next_attempt_at) FROM webhook_held h WHERE h.webhook_id = $1 AND h.state = 'held' AND NOT EXISTS "
    "(SELECT 1 FROM webhook_held e WHERE e.webhook_id = $1 AND e.state = 'held' AND e.subject = h.subject AND "
    "e.seq < h.seq)";
constexpr std::string_view kCounts =
    "SELECT COUNT(DISTINCT CASE state WHEN 'held' THEN subject END), COUNT(CASE state WHEN 'held' THEN 1 END), "
    "COUNT(CASE state WHEN 'dead' THEN 1 END) FROM webhook_held WHERE webhook_id = $1";

SealedSecret read_secret(const sql::Cursor& cursor, int column) {
  const auto bytes = cursor.blob(column);
  return {{bytes.begin(), bytes.end()}, cursor.text(column + 1)};
}

sql::Value blob_or_null(const SealedSecret& secret) {
  if (secret.bytes.empty()) return sql::Null{};
  return ByteView(secret.bytes);
}

WebhookRow read_webhook(const sql::Cursor& cursor) {
  WebhookRow row;
  row.id = cursor.text(0);
  row.name = cursor.text(1);
  row.url = cursor.text(2);
  row.mode = cursor.text(3);
  row.events = cursor.text(4);
  row.subject = cursor.text(5);
  row.environment = cursor.text(6);
  row.state = cursor.text(7);
  row.secret = read_secret(cursor, 8);
  row.old_secret = read_secret(cursor, 10);
  row.old_secret_until_us = cursor.integer(12);
  row.created_at_us = cursor.integer(13);
  row.created_by = cursor.text(14);
  row.changed_at_us = cursor.integer(15);
  row.changed_by = cursor.text(16);
  return row;
}

Result<std::vector<HeldEvent>> read_held(Result<sql::Cursor> query) {
  MLOPS_ASSIGN(auto cursor, std::move(query));
  std::vector<HeldEvent> events;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return events;
    events.push_back({cursor.integer(0), cursor.text(1), cursor.text(2), cursor.integer(3), cursor.integer(4),
                      cursor.integer(5), cursor.text(6), cursor.integer(7)});
  }
}

std::string_view view(const std::string& text) {
  return text;
}

}  // namespace

Result<std::vector<WebhookRow>> list_webhooks(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kList));
  return sql::read_all(std::move(cursor), read_webhook);
}

Result<WebhookRow> find_webhook(sql::Connection& connection, const std::string& name_or_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFind, {view(name_or_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_webhook(cursor);
  return fail(ErrorCode::kNotFound, "webhook_not_found",
              fmt::format("there is no webhook \"{}\"", printable(name_or_id)), "`mlopsctl webhook list` shows all");
}

Status insert_webhook(WriteTx& tx, WebhookRow& row) {
  row.created_at_us = row.changed_at_us = tx.now_us();
  row.created_by = row.changed_by = tx.actor().principal.name;
  MLOPS_TRY(tx.touch("webhooks", row.id));
  return tx.sql().execute(
      kInsert, {view(row.id), view(row.name), view(row.url), view(row.mode), view(row.events), view(row.subject),
                view(row.environment), view(row.state), blob_or_null(row.secret), view(row.secret.key_id),
                blob_or_null(row.old_secret), view(row.old_secret.key_id), row.old_secret_until_us, row.created_at_us,
                view(row.created_by), row.changed_at_us, view(row.changed_by)});
}

Status update_webhook(WriteTx& tx, WebhookRow& row) {
  row.changed_at_us = tx.now_us();
  row.changed_by = tx.actor().principal.name;
  MLOPS_TRY(tx.touch("webhooks", row.id));
  return tx.sql().execute(kUpdate, {view(row.id), view(row.state), blob_or_null(row.secret), view(row.secret.key_id),
                                    blob_or_null(row.old_secret), view(row.old_secret.key_id), row.old_secret_until_us,
                                    row.changed_at_us, view(row.changed_by)});
}

Status delete_webhook(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("webhooks", id));
  MLOPS_TRY(tx.sql().execute(kDeleteHeld, {view(id)}));
  MLOPS_TRY(tx.sql().execute(kDeleteProgress, {view(id)}));
  return tx.sql().execute(kDelete, {view(id)});
}

Result<WebhookProgress> find_progress(sql::Connection& connection, const std::string& webhook_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindProgress, {view(webhook_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  WebhookProgress progress;
  progress.webhook_id = webhook_id;
  if (!found) return progress;
  progress.cursor = cursor.integer(0);
  progress.delivered = cursor.integer(1);
  progress.failed = cursor.integer(2);
  progress.resting_until_us = cursor.integer(3);
  progress.last_status = cursor.integer(4);
  progress.last_error = cursor.text(5);
  progress.last_attempt_at_us = cursor.integer(6);
  progress.last_delivered_at_us = cursor.integer(7);
  return progress;
}

Status put_progress(WriteTx& tx, const WebhookProgress& p) {
  return tx.sql().execute(kPutProgress,
                          {view(p.webhook_id), p.cursor, p.delivered, p.failed, p.resting_until_us, p.last_status,
                           view(p.last_error), p.last_attempt_at_us, p.last_delivered_at_us});
}

Status put_held(WriteTx& tx, const std::string& webhook_id, const HeldEvent& event) {
  return tx.sql().execute(kPutHeld,
                          {view(webhook_id), event.seq, view(event.subject), view(event.state), event.attempts,
                           event.next_attempt_at_us, event.last_status, view(event.last_error), tx.now_us()});
}

Status drop_held(WriteTx& tx, const std::string& webhook_id, std::int64_t seq) {
  return tx.sql().execute(kDropHeld, {view(webhook_id), seq});
}

Status drop_held_after(WriteTx& tx, const std::string& webhook_id, std::int64_t after_seq) {
  return tx.sql().execute(kDropHeldAfter, {view(webhook_id), after_seq});
}

Result<std::int64_t> revive_dead(WriteTx& tx, const std::string& webhook_id) {
  MLOPS_TRY(tx.sql().execute(kReviveDead, {view(webhook_id), tx.now_us()}));
  return tx.sql().changes();
}

Status make_due(WriteTx& tx, const std::string& webhook_id) {
  return tx.sql().execute(kMakeDue, {view(webhook_id)});
}

Result<std::vector<HeldEvent>> due_lanes(sql::Connection& connection, const std::string& webhook_id, TimestampUs now_us,
                                         std::size_t limit) {
  return read_held(connection.query(kDueLanes, {view(webhook_id), now_us, static_cast<std::int64_t>(limit)}));
}

Result<std::vector<HeldEvent>> lane(sql::Connection& connection, const std::string& webhook_id,
                                    const std::string& subject, std::size_t limit) {
  return read_held(connection.query(kLane, {view(webhook_id), view(subject), static_cast<std::int64_t>(limit)}));
}

Result<bool> is_lane_held(sql::Connection& connection, const std::string& webhook_id, const std::string& subject) {
  MLOPS_ASSIGN(auto cursor, connection.query(kIsLaneHeld, {view(webhook_id), view(subject)}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0) != 0;
}

Result<std::optional<HeldEvent>> find_held(sql::Connection& connection, const std::string& webhook_id,
                                           std::int64_t seq) {
  MLOPS_ASSIGN(auto events, read_held(connection.query(kFindHeld, {view(webhook_id), seq})));
  if (events.empty()) return std::optional<HeldEvent>();
  return std::optional(std::move(events.front()));
}

Result<std::vector<HeldEvent>> list_held(sql::Connection& connection, const std::string& webhook_id,
                                         const std::string& state, std::int64_t after_seq, std::size_t limit) {
  return read_held(
      connection.query(kListHeld, {view(webhook_id), view(state), after_seq, static_cast<std::int64_t>(limit)}));
}

Result<std::optional<TimestampUs>> next_due(sql::Connection& connection, const std::string& webhook_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kNextDue, {view(webhook_id)}));
  MLOPS_TRY(cursor.next());
  if (cursor.is_null(0)) return std::optional<TimestampUs>();
  return std::optional(cursor.integer(0));
}

Result<HeldCounts> held_counts(sql::Connection& connection, const std::string& webhook_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kCounts, {view(webhook_id)}));
  MLOPS_TRY(cursor.next());
  return HeldCounts{cursor.integer(0), cursor.integer(1), cursor.integer(2)};
}

}  // namespace mlops::meta
