#include "storage/meta/decisions.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::meta {
namespace {

#define MLOPS_DECISION_COLUMNS \
  "id, plan_id, occasion, environment, target, verdict, facts_digest, record_digest, policies, facts, decided_at"

constexpr std::string_view kInsert =
    "INSERT INTO decisions (" MLOPS_DECISION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
constexpr std::string_view kEach =
    "SELECT " MLOPS_DECISION_COLUMNS
    " FROM decisions WHERE ($1 = '' OR environment = $1) AND ($2 = '' OR plan_id = $2) AND decided_at >= $3 "
    "AND ($4 = 0 OR occasion IN ('promote', 'rollback')) ORDER BY decided_at, id";
constexpr std::string_view kOfPlan =
    "SELECT " MLOPS_DECISION_COLUMNS " FROM decisions WHERE plan_id = $1 ORDER BY decided_at DESC, id DESC LIMIT 1";

DecisionRow read_row(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.text(4),    cursor.text(5),
          cursor.text(6), cursor.text(7), cursor.text(8), cursor.text(9), cursor.integer(10)};
}

}  // namespace

Status insert_decision(WriteTx& tx, const DecisionRow& row) {
  MLOPS_TRY(tx.touch("decisions", row.id));
  return tx.sql().execute(
      kInsert, {std::string_view(row.id), std::string_view(row.plan_id), std::string_view(row.occasion),
                std::string_view(row.environment), std::string_view(row.target), std::string_view(row.verdict),
                std::string_view(row.facts_digest), std::string_view(row.record_digest), std::string_view(row.policies),
                std::string_view(row.facts), row.decided_at_us});
}

Status each_decision(sql::Connection& connection, const DecisionFilter& filter,
                     const std::function<Result<bool>(const DecisionRow&)>& take) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kEach, {std::string_view(filter.environment), std::string_view(filter.plan_id),
                                        filter.since_us, std::int64_t{filter.deployments_only ? 1 : 0}}));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return {};
    MLOPS_ASSIGN(const bool go_on, take(read_row(cursor)));
    if (!go_on) return {};
  }
}

Result<DecisionRow> decision_of_plan(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOfPlan, {std::string_view(plan_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_row(cursor);
  return fail(ErrorCode::kNotFound, "decision_not_found",
              fmt::format("no decision record of plan {}: it was made before records were kept", printable(plan_id)));
}

}  // namespace mlops::meta
