#include "storage/meta/change_control.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/identity.h"
#include "storage/meta/optional_time.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kInsertKey =
    "INSERT INTO signing_keys (id, principal_id, name, public_key, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, "
    "$6)";
constexpr std::string_view kRevokeKey =
    "UPDATE signing_keys SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL";
constexpr std::string_view kKeys =
    "SELECT k.id, k.principal_id, p.name, k.name, k.public_key, k.created_at, k.expires_at, k.revoked_at, "
    "COALESCE(k.revoked_reason, '') FROM signing_keys k JOIN principals p ON p.id = k.principal_id "
    "WHERE ($1 = '' OR k.principal_id = $1) AND ($2 = '' OR k.id = $2) ORDER BY k.created_at, k.id";
constexpr std::string_view kLiveScopes =
    "SELECT scopes FROM tokens WHERE principal_id = $1 AND revoked_at IS NULL AND expires_at > $2";
constexpr std::string_view kInsertReview =
    "INSERT INTO break_glass_reviews (id, environment, plan_id, opened_by, overridden, due_at, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kCloseReview =
    "UPDATE break_glass_reviews SET reviewed_at = $2, reviewed_by = $3, outcome = $4, note = $5 "
    "WHERE id = $1 AND reviewed_at IS NULL";
#define MLOPS_REVIEW_COLUMNS                                                                                   \
  "r.id, r.environment, r.plan_id, r.opened_by, p.name, r.overridden, r.due_at, r.created_at, r.reviewed_at, " \
  "COALESCE(r.reviewed_by, ''), COALESCE(r.outcome, ''), COALESCE(r.note, '') FROM break_glass_reviews r "     \
  "JOIN principals p ON p.id = r.opened_by "
constexpr std::string_view kFindReview =
    "SELECT " MLOPS_REVIEW_COLUMNS "WHERE r.id >= $1 AND r.id < $2 ORDER BY r.id LIMIT 2";
constexpr std::string_view kReviewOf = "SELECT " MLOPS_REVIEW_COLUMNS "WHERE r.id = $1";
constexpr std::string_view kInsertRejection =
    "INSERT INTO rejected_releases (id, environment, release_id, deployment_id, reason, rejected_by, valid_from) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kLiftRejection = "UPDATE rejected_releases SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kRejections =
    "SELECT x.id, x.environment, x.release_id, r.name, r.number, x.deployment_id, x.reason, x.rejected_by, "
    "x.valid_from, "
    "x.valid_to FROM rejected_releases x JOIN releases r ON r.id = x.release_id "
    "WHERE x.environment = $1 AND ($2 = '' OR x.release_id = $2) AND x.valid_to IS NULL ORDER BY x.id DESC";
constexpr std::string_view kRunningWith =
    "SELECT DISTINCT d.id FROM deployment_lines l CROSS JOIN deployments d CROSS JOIN release_members m "
    "CROSS JOIN versions v WHERE l.environment = $1 AND d.id = l.running_id AND m.release_id = d.release_id "
    "AND v.id = m.version_id AND v.artifact_id = $2";
constexpr std::string_view kFindIdempotency =
    "SELECT request_digest, plan_id, deployment_id FROM idempotency WHERE principal_id = $1 AND key = $2";
constexpr std::string_view kInsertIdempotency =
    "INSERT INTO idempotency (principal_id, key, request_digest, plan_id, deployment_id, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kForgetIdempotency = "DELETE FROM idempotency WHERE created_at < $1";

sql::Value moment_or_null(const std::optional<TimestampUs>& moment) {
  return moment ? sql::Value(*moment) : sql::Value(sql::Null{});
}

SigningKeyRow read_key(const sql::Cursor& cursor) {
  return {cursor.text(0),    cursor.text(1),          cursor.text(2),          cursor.text(3), cursor.text(4),
          cursor.integer(5), time_or_none(cursor, 6), time_or_none(cursor, 7), cursor.text(8)};
}

ReviewRow read_review(const sql::Cursor& cursor) {
  return {cursor.text(0),          cursor.text(1), cursor.text(2),    cursor.text(3),
          cursor.text(4),          cursor.text(5), cursor.integer(6), cursor.integer(7),
          time_or_none(cursor, 8), cursor.text(9), cursor.text(10),   cursor.text(11)};
}

RejectionRow read_rejection(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3),    cursor.integer(4),
          cursor.text(5), cursor.text(6), cursor.text(7), cursor.integer(8), time_or_none(cursor, 9)};
}

}  // namespace

Status insert_signing_key(WriteTx& tx, const SigningKeyRow& key) {
  MLOPS_TRY(tx.touch("signing_keys", key.id));
  return tx.sql().execute(kInsertKey,
                          {std::string_view(key.id), std::string_view(key.principal_id), std::string_view(key.name),
                           std::string_view(key.public_key), tx.now_us(), moment_or_null(key.expires_at_us)});
}

Status revoke_signing_key(WriteTx& tx, const std::string& id, const std::string& reason) {
  MLOPS_TRY(tx.touch("signing_keys", id));
  return tx.sql().execute(kRevokeKey, {std::string_view(id), tx.now_us(), std::string_view(reason)});
}

Result<SigningKeyRow> get_signing_key(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kKeys, {std::string_view(), std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, !id.empty() ? cursor.next() : Result<bool>(false));
  if (found) return read_key(cursor);
  return fail(ErrorCode::kNotFound, "signing_key_not_found",
              fmt::format("there is no signing key \"{}\"", printable(id)), "`mlopsctl key signers` lists them");
}

Result<std::vector<SigningKeyRow>> list_signing_keys(sql::Connection& connection, const std::string& principal_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kKeys, {std::string_view(principal_id), std::string_view()}));
  return sql::read_all(std::move(cursor), read_key);
}

Result<bool> holds_scope(sql::Connection& connection, const std::string& principal_id, model::Scope scope,
                         TimestampUs now_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLiveScopes, {std::string_view(principal_id), now_us}));
  const auto word = to_word(scope);
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return false;
    for (const auto held : split(cursor.text_view(0), ' ')) {
      if (held == word) return true;
    }
  }
}

Status insert_review(WriteTx& tx, const ReviewRow& review) {
  MLOPS_TRY(tx.touch("break_glass_reviews", review.deployment_id));
  return tx.sql().execute(kInsertReview, {std::string_view(review.deployment_id), std::string_view(review.environment),
                                          std::string_view(review.plan_id), std::string_view(review.opened_by_id),
                                          std::string_view(review.overridden), review.due_at_us, tx.now_us()});
}

Status close_review(WriteTx& tx, const ReviewRow& review) {
  MLOPS_TRY(tx.touch("break_glass_reviews", review.deployment_id));
  return tx.sql().execute(kCloseReview,
                          {std::string_view(review.deployment_id), tx.now_us(), std::string_view(review.reviewed_by),
                           std::string_view(review.outcome), std::string_view(review.note)});
}

Result<std::optional<ReviewRow>> find_review_of(sql::Connection& connection, const std::string& deployment_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kReviewOf, {std::string_view(deployment_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<ReviewRow>();
  return std::optional(read_review(cursor));
}

Result<ReviewRow> find_review(sql::Connection& connection, const std::string& deployment_id) {
  constexpr std::size_t kShortest = 8;
  const auto none = [&] {
    return fail(
        ErrorCode::kNotFound, "review_not_found",
        fmt::format("no break-glass promotion \"{}\" waits for a review, or ever did", printable(deployment_id)),
        "`mlopsctl review list` shows them");
  };
  if (deployment_id.size() < kShortest) return none();
  const auto end = deployment_id + "g";
  MLOPS_ASSIGN(auto cursor, connection.query(kFindReview, {std::string_view(deployment_id), std::string_view(end)}));
  MLOPS_ASSIGN(auto rows, sql::read_all(std::move(cursor), read_review));
  if (rows.empty()) return none();
  if (rows.size() > 1) {
    return fail(ErrorCode::kConflict, "review_ambiguous", "that could be several reviews", "write more characters");
  }
  return std::move(rows.front());
}

Result<std::vector<ReviewRow>> list_reviews(sql::Connection& connection, const ReviewFilter& filter) {
  std::string query = "SELECT " MLOPS_REVIEW_COLUMNS "WHERE ";
  query += filter.open_only ? "r.reviewed_at IS NULL" : "r.created_at > 0";
  std::vector<sql::Value> values;
  if (!filter.environment.empty()) {
    values.emplace_back(std::string_view(filter.environment));
    query += " AND r.environment = $1";
  }
  MLOPS_ASSIGN(auto cursor, connection.query_text(query + " ORDER BY r.id DESC", values));
  return sql::read_all(std::move(cursor), read_review);
}

Status reject_release(WriteTx& tx, const RejectionRow& row) {
  MLOPS_ASSIGN(const auto standing, find_rejection(tx.sql(), row.environment, row.release_id));
  if (standing) return {};
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("rejected_releases", id));
  return tx.sql().execute(kInsertRejection,
                          {std::string_view(id), std::string_view(row.environment), std::string_view(row.release_id),
                           std::string_view(row.deployment_id), std::string_view(row.reason),
                           std::string_view(row.rejected_by), tx.now_us()});
}

Status lift_rejection(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("rejected_releases", id));
  return tx.sql().execute(kLiftRejection, {std::string_view(id), tx.now_us()});
}

Result<std::vector<RejectionRow>> list_rejections(sql::Connection& connection, const std::string& environment) {
  MLOPS_ASSIGN(auto cursor, connection.query(kRejections, {std::string_view(environment), std::string_view()}));
  return sql::read_all(std::move(cursor), read_rejection);
}

Result<std::optional<RejectionRow>> find_rejection(sql::Connection& connection, const std::string& environment,
                                                   const std::string& release_id) {
  if (release_id.empty()) return std::optional<RejectionRow>();
  MLOPS_ASSIGN(auto cursor,
               connection.query(kRejections, {std::string_view(environment), std::string_view(release_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<RejectionRow>();
  return std::optional(read_rejection(cursor));
}

Result<std::vector<DeploymentRow>> running_with_artifacts(sql::Connection& connection, const std::string& environment,
                                                          const std::vector<std::string>& artifact_ids) {
  std::vector<std::string> ids;
  for (const auto& artifact : artifact_ids) {
    MLOPS_ASSIGN(auto cursor,
                 connection.query(kRunningWith, {std::string_view(environment), std::string_view(artifact)}));
    while (true) {
      MLOPS_ASSIGN(const bool more, cursor.next());
      if (!more) break;
      ids.push_back(cursor.text(0));
    }
  }
  std::vector<DeploymentRow> rows;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const auto& id : ids) {
    MLOPS_ASSIGN(auto row, get_deployment(connection, id));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::optional<IdempotencyRow>> find_idempotency(sql::Connection& connection, const std::string& principal_id,
                                                       const std::string& key) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kFindIdempotency, {std::string_view(principal_id), std::string_view(key)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<IdempotencyRow>();
  return std::optional(IdempotencyRow{principal_id, key, cursor.text(0), cursor.text(1), cursor.text(2)});
}

Status insert_idempotency(WriteTx& tx, const IdempotencyRow& row, std::int64_t keep_us) {
  MLOPS_TRY(tx.sql().execute(kForgetIdempotency, {tx.now_us() - keep_us}));
  return tx.sql().execute(kInsertIdempotency, {std::string_view(row.principal_id), std::string_view(row.key),
                                               std::string_view(row.request_digest), std::string_view(row.plan_id),
                                               std::string_view(row.deployment_id), tx.now_us()});
}

}  // namespace mlops::meta
