#include "storage/meta/deliveries.h"

#include "storage/meta/optional_time.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kPut =
    "INSERT INTO deliveries (deployment_id, environment, place, state, attempts, error, message, since, "
    "next_attempt_at, delivered_at, verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
    "ON CONFLICT (deployment_id) DO UPDATE SET place = $3, state = $4, attempts = $5, error = $6, message = $7, "
    "since = $8, next_attempt_at = $9, delivered_at = $10, verified_at = $11";
constexpr std::string_view kFind =
    "SELECT deployment_id, environment, place, state, attempts, error, message, since, next_attempt_at, delivered_at, "
    "verified_at FROM deliveries WHERE deployment_id = $1";
constexpr std::string_view kTargeted =
    "SELECT name, body FROM environments WHERE valid_to IS NULL AND instr(body, '\"target\":{') > 0 ORDER BY name";

}  // namespace

Status put_delivery(WriteTx& tx, const DeliveryRow& row) {
  return tx.sql().execute(
      kPut, {std::string_view(row.deployment_id), std::string_view(row.environment), std::string_view(row.place),
             std::string_view(row.state), row.attempts, std::string_view(row.error), std::string_view(row.message),
             row.since_us, time_or_null(row.next_attempt_at_us), time_or_null(row.delivered_at_us),
             time_or_null(row.verified_at_us)});
}

Result<std::optional<DeliveryRow>> find_delivery(sql::Connection& connection, const std::string& deployment_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFind, {std::string_view(deployment_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<DeliveryRow>();
  DeliveryRow row;
  row.deployment_id = cursor.text(0);
  row.environment = cursor.text(1);
  row.place = cursor.text(2);
  row.state = cursor.text(3);
  row.attempts = cursor.integer(4);
  row.error = cursor.text(5);
  row.message = cursor.text(6);
  row.since_us = cursor.integer(7);
  row.next_attempt_at_us = time_or_none(cursor, 8);
  row.delivered_at_us = time_or_none(cursor, 9);
  row.verified_at_us = time_or_none(cursor, 10);
  return std::optional<DeliveryRow>(std::move(row));
}

Result<std::vector<TargetedEnvironment>> targeted_environments(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kTargeted));
  std::vector<TargetedEnvironment> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back({cursor.text(0), cursor.text(1)});
  }
}

}  // namespace mlops::meta
