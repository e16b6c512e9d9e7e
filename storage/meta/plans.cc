// Plans and the approvals that are bound to their digest.
#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/releases.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kInsertPlan =
    "INSERT INTO plans (id, digest, kind, state, environment, body, requested_by, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kSetState = "UPDATE plans SET state = $2 WHERE id = $1";
constexpr std::string_view kSetExecuted =
    "UPDATE plans SET state = 'executed', body = $2 WHERE id = $1 AND state = 'open'";
constexpr std::string_view kFindPlan =
    "SELECT id, digest, kind, state, environment, body, requested_by, created_at FROM plans "
    "WHERE (id >= $1 AND id < $2) OR (digest >= $3 AND digest < $4) ORDER BY id DESC LIMIT 3";
constexpr std::string_view kApprovals =
    "SELECT a.id, a.plan_id, a.plan_digest, a.principal_id, p.name, p.is_human, a.roles, a.decision, a.reason, "
    "a.created_at, COALESCE(s.meaning, ''), COALESCE(s.statement, ''), COALESCE(s.key_id, ''), "
    "COALESCE(s.signature, '') FROM approvals a JOIN principals p ON p.id = a.principal_id "
    "LEFT JOIN approval_statements s ON s.id = a.id WHERE a.plan_id = $1 ORDER BY a.id";
constexpr std::string_view kFindApproval = "SELECT id FROM approvals WHERE plan_id = $1 AND principal_id = $2";
constexpr std::string_view kInsertApproval =
    "INSERT INTO approvals (id, plan_id, plan_digest, principal_id, roles, decision, reason, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kPutStatement =
    "INSERT INTO approval_statements (id, meaning, statement, key_id, signature) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (id) DO UPDATE SET meaning = $2, statement = $3, key_id = $4, signature = $5";
constexpr std::string_view kUpdateApproval =
    "UPDATE approvals SET roles = $2, decision = $3, reason = $4, created_at = $5 WHERE id = $1";

PlanRow read_plan(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3),
          cursor.text(4), cursor.text(5), cursor.text(6), cursor.integer(7)};
}

Result<std::vector<PlanRow>> read_plans(sql::Cursor cursor) {
  return sql::read_all(std::move(cursor), read_plan);
}

}  // namespace

Status insert_plan(WriteTx& tx, const PlanRow& plan) {
  MLOPS_TRY(tx.touch("plans", plan.id));
  return tx.sql().execute(
      kInsertPlan, {std::string_view(plan.id), std::string_view(plan.digest), std::string_view(plan.kind),
                    std::string_view(plan.state), std::string_view(plan.environment), std::string_view(plan.body),
                    std::string_view(plan.requested_by_id), plan.created_at_us});
}

Status set_plan_state(WriteTx& tx, const std::string& plan_id, const std::string& state) {
  MLOPS_TRY(tx.touch("plans", plan_id));
  return tx.sql().execute(kSetState, {std::string_view(plan_id), std::string_view(state)});
}

Status set_plan_executed(WriteTx& tx, const std::string& plan_id, const std::string& body) {
  MLOPS_TRY(tx.touch("plans", plan_id));
  return tx.sql().execute(kSetExecuted, {std::string_view(plan_id), std::string_view(body)});
}

Result<PlanRow> find_plan(sql::Connection& connection, const std::string& id_or_prefix) {
  if (id_or_prefix.size() < 8) {
    return fail(ErrorCode::kInvalid, "bad_plan_id", "a plan is named by at least 8 characters of its id or digest",
                "`mlopsctl plans` lists them");
  }
  const auto digest = id_or_prefix.starts_with("sha256:") ? id_or_prefix : "sha256:" + id_or_prefix;
  const auto id_end = id_or_prefix + "g";
  const auto digest_end = digest + "g";
  MLOPS_ASSIGN(auto cursor, connection.query(kFindPlan, {std::string_view(id_or_prefix), std::string_view(id_end),
                                                         std::string_view(digest), std::string_view(digest_end)}));
  MLOPS_ASSIGN(auto rows, read_plans(std::move(cursor)));
  if (rows.size() == 1) return std::move(rows.front());
  if (rows.empty()) {
    return fail(ErrorCode::kNotFound, "plan_not_found", fmt::format("there is no plan \"{}\"", printable(id_or_prefix)),
                "`mlopsctl plans` lists them");
  }
  const bool is_whole = digest == rows.front().digest;
  std::string listed;
  for (const auto& row : rows) listed += (listed.empty() ? "" : ", ") + row.id;
  return fail(ErrorCode::kConflict, "plan_ambiguous",
              fmt::format("\"{}\" could be several plans: {}", printable(id_or_prefix), listed),
              is_whole ? "name it by its id: the same was planned more than once" : "write more characters");
}

Result<std::vector<PlanRow>> list_plans(sql::Connection& connection, const PlanFilter& filter) {
  std::string query =
      "SELECT id, digest, kind, state, environment, body, requested_by, created_at FROM plans WHERE created_at > 0";
  std::vector<sql::Value> values;
  const auto add = [&](std::string_view clause, const std::string& value) {
    if (value.empty()) return;
    values.emplace_back(std::string_view(value));
    query += fmt::format(fmt::runtime(clause), values.size());
  };
  add(" AND state = ${}", filter.state);
  add(" AND environment = ${}", filter.environment);
  add(" AND id < ${}", filter.after_id);
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  query += fmt::format(" ORDER BY id DESC LIMIT ${}", values.size());
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  return read_plans(std::move(cursor));
}

Result<std::vector<ApprovalRow>> approvals_of(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kApprovals, {std::string_view(plan_id)}));
  std::vector<ApprovalRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back({cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.text(4),
                    cursor.integer(5) != 0, cursor.text(6), cursor.text(7), cursor.text(8), cursor.integer(9),
                    cursor.text(10), cursor.text(11), cursor.text(12), cursor.text(13)});
  }
}

namespace {

Status put_statement(WriteTx& tx, const std::string& id, const ApprovalRow& approval) {
  MLOPS_TRY(tx.touch("approval_statements", id));
  const auto key = approval.key_id.empty() ? sql::Value(sql::Null{}) : sql::Value(std::string_view(approval.key_id));
  return tx.sql().execute(
      kPutStatement, {std::string_view(id), std::string_view(approval.meaning), std::string_view(approval.statement),
                      key, std::string_view(approval.signature)});
}

}  // namespace

Status upsert_approval(WriteTx& tx, const ApprovalRow& approval) {
  std::string existing;
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kFindApproval, {std::string_view(approval.plan_id),
                                                             std::string_view(approval.principal_id)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found) existing = cursor.text(0);
  }
  if (!existing.empty()) {
    MLOPS_TRY(tx.touch("approvals", existing));
    MLOPS_TRY(tx.sql().execute(kUpdateApproval, {std::string_view(existing), std::string_view(approval.roles),
                                                 std::string_view(approval.decision), std::string_view(approval.reason),
                                                 approval.created_at_us}));
    return put_statement(tx, existing, approval);
  }
  MLOPS_TRY(tx.touch("approvals", approval.id));
  MLOPS_TRY(tx.sql().execute(
      kInsertApproval,
      {std::string_view(approval.id), std::string_view(approval.plan_id), std::string_view(approval.plan_digest),
       std::string_view(approval.principal_id), std::string_view(approval.roles), std::string_view(approval.decision),
       std::string_view(approval.reason), approval.created_at_us}));
  return put_statement(tx, approval.id, approval);
}

}  // namespace mlops::meta
