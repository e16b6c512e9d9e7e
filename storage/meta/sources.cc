#include "storage/meta/sources.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_SOURCE_COLUMNS                                                                                      \
  "id, name, repository, branch, policies_path, environments_path, approvals_needed, pinned_commit, created_at, " \
  "created_by, applied_at, applied_by"
#define MLOPS_SOURCE_PLAN_COLUMNS                                                                           \
  "id, source_id, digest, state, base_commit, target_commit, body, reason, requested_by_id, requested_by, " \
  "created_at, applied_at"

constexpr std::string_view kList =
    "SELECT " MLOPS_SOURCE_COLUMNS " FROM policy_sources WHERE removed_at IS NULL ORDER BY name";
constexpr std::string_view kFind =
    "SELECT " MLOPS_SOURCE_COLUMNS " FROM policy_sources WHERE name = $1 AND removed_at IS NULL";
constexpr std::string_view kOfId = "SELECT " MLOPS_SOURCE_COLUMNS " FROM policy_sources WHERE id = $1";
constexpr std::string_view kInsert =
    "INSERT INTO policy_sources (id, name, repository, branch, policies_path, environments_path, approvals_needed, "
    "pinned_commit, created_at, created_by, applied_by) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, '')";
constexpr std::string_view kPin =
    "UPDATE policy_sources SET pinned_commit = $2, applied_at = $3, applied_by = $4 WHERE id = $1";
constexpr std::string_view kRemove = "UPDATE policy_sources SET removed_at = $2 WHERE id = $1";

constexpr std::string_view kItems =
    "SELECT id, source_id, kind, name, path FROM source_items WHERE source_id = $1 ORDER BY kind, name";
constexpr std::string_view kOwner =
    "SELECT s.name, s.repository, s.pinned_commit, i.path FROM source_items i JOIN policy_sources s ON s.id = "
    "i.source_id WHERE i.kind = $1 AND i.name = $2";
constexpr std::string_view kInsertItem =
    "INSERT INTO source_items (id, source_id, kind, name, path) VALUES ($1, $2, $3, $4, $5)";
constexpr std::string_view kDeleteItem = "DELETE FROM source_items WHERE id = $1";

constexpr std::string_view kFindPlan =
    "SELECT " MLOPS_SOURCE_PLAN_COLUMNS " FROM source_plans WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2";
constexpr std::string_view kPlansOf =
    "SELECT " MLOPS_SOURCE_PLAN_COLUMNS " FROM source_plans WHERE source_id = $1 ORDER BY created_at DESC LIMIT $2";
constexpr std::string_view kInsertPlan =
    "INSERT INTO source_plans (id, source_id, digest, state, base_commit, target_commit, body, reason, "
    "requested_by_id, requested_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
constexpr std::string_view kSetPlan = "UPDATE source_plans SET state = $2, applied_at = $3 WHERE id = $1";

constexpr std::string_view kApprovals =
    "SELECT id, plan_id, plan_digest, principal_id, principal, reason, created_at FROM source_approvals WHERE plan_id "
    "= $1 ORDER BY created_at";
constexpr std::string_view kInsertApproval =
    "INSERT INTO source_approvals (id, plan_id, plan_digest, principal_id, principal, reason, created_at) VALUES ($1, "
    "$2, $3, $4, $5, $6, $7)";

constexpr std::string_view kOfRevision =
    "SELECT id, source_id, source, repository, commit_id, path FROM revision_sources WHERE id = $1";
constexpr std::string_view kInsertOfRevision =
    "INSERT INTO revision_sources (id, source_id, source, repository, commit_id, path) VALUES ($1, $2, $3, $4, $5, $6)";

constexpr std::size_t kPrefixMin = 8;

std::string_view word_of(RevisionKind kind) {
  return kind == RevisionKind::kPolicy ? "policy" : "environment";
}

SourceRow read_source(const sql::Cursor& cursor) {
  return {cursor.text(0),    cursor.text(1), cursor.text(2),    cursor.text(3), cursor.text(4),     cursor.text(5),
          cursor.integer(6), cursor.text(7), cursor.integer(8), cursor.text(9), cursor.integer(10), cursor.text(11)};
}

SourceItem read_item(const sql::Cursor& cursor) {
  const auto kind = cursor.text_view(2) == "policy" ? RevisionKind::kPolicy : RevisionKind::kEnvironment;
  return {cursor.text(0), cursor.text(1), kind, cursor.text(3), cursor.text(4)};
}

SourcePlanRow read_plan(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.text(4),     cursor.text(5),
          cursor.text(6), cursor.text(7), cursor.text(8), cursor.text(9), cursor.integer(10), cursor.integer(11)};
}

SourceApprovalRow read_approval(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2),   cursor.text(3),
          cursor.text(4), cursor.text(5), cursor.integer(6)};
}

}  // namespace

Result<std::vector<SourceRow>> list_sources(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kList));
  return sql::read_all(std::move(cursor), read_source);
}

Result<SourceRow> find_source(sql::Connection& connection, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFind, {std::string_view(name)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_source(cursor);
  MLOPS_ASSIGN(const auto known, list_sources(connection));
  std::vector<std::string> names;
  for (const auto& one : known) names.push_back(one.name);
  const auto near = nearest_word(name, names);
  return fail(ErrorCode::kNotFound, "source_not_found",
              fmt::format("there is no policy source \"{}\"", printable(name)),
              near            ? fmt::format("did you mean \"{}\"?", *near)
              : names.empty() ? "none is added yet: mlopsctl policy source add"
                              : "known: " + join(names, ", "));
}

Result<SourceRow> source_of_id(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOfId, {std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_source(cursor);
  return fail(ErrorCode::kCorrupt, "source_missing", "a policy source is missing", "run `mlopsctl audit verify`");
}

Status insert_source(WriteTx& tx, const SourceRow& source) {
  MLOPS_TRY(tx.touch("policy_sources", source.id));
  return tx.sql().execute(
      kInsert, {std::string_view(source.id), std::string_view(source.name), std::string_view(source.repository),
                std::string_view(source.branch), std::string_view(source.policies_path),
                std::string_view(source.environments_path), source.approvals_needed, source.created_at_us,
                std::string_view(source.created_by)});
}

Status pin_source(WriteTx& tx, const std::string& id, const std::string& commit) {
  MLOPS_TRY(tx.touch("policy_sources", id));
  return tx.sql().execute(
      kPin, {std::string_view(id), std::string_view(commit), tx.now_us(), std::string_view(tx.actor().principal.name)});
}

Status remove_source(WriteTx& tx, const std::string& id) {
  MLOPS_ASSIGN(const auto items, items_of(tx.sql(), id));
  for (const auto& item : items) MLOPS_TRY(delete_item(tx, item.id));
  MLOPS_TRY(tx.touch("policy_sources", id));
  return tx.sql().execute(kRemove, {std::string_view(id), tx.now_us()});
}

Result<std::vector<SourceItem>> items_of(sql::Connection& connection, const std::string& source_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kItems, {std::string_view(source_id)}));
  return sql::read_all(std::move(cursor), read_item);
}

Result<std::optional<Owner>> owner_of(sql::Connection& connection, RevisionKind kind, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOwner, {word_of(kind), std::string_view(name)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<Owner>();
  return std::optional(Owner{cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3)});
}

Status insert_item(WriteTx& tx, const SourceItem& item) {
  MLOPS_TRY(tx.touch("source_items", item.id));
  return tx.sql().execute(kInsertItem, {std::string_view(item.id), std::string_view(item.source_id), word_of(item.kind),
                                        std::string_view(item.name), std::string_view(item.path)});
}

Status delete_item(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("source_items", id));
  return tx.sql().execute(kDeleteItem, {std::string_view(id)});
}

Result<SourcePlanRow> find_source_plan(sql::Connection& connection, const std::string& id_or_prefix) {
  if (id_or_prefix.size() < kPrefixMin) {
    return fail(ErrorCode::kInvalid, "bad_id", "a plan is named by at least 8 characters of its id");
  }
  const auto end = id_or_prefix + "\x7f";
  MLOPS_ASSIGN(auto cursor, connection.query(kFindPlan, {std::string_view(id_or_prefix), std::string_view(end)}));
  MLOPS_ASSIGN(const auto rows, sql::read_all(std::move(cursor), read_plan));
  if (rows.empty()) {
    return fail(ErrorCode::kNotFound, "source_plan_not_found",
                fmt::format("there is no plan of a policy source {}", printable(id_or_prefix)),
                "`mlopsctl policy source show NAME` lists them");
  }
  if (rows.size() > 1) {
    return fail(ErrorCode::kConflict, "id_ambiguous", fmt::format("{} names several plans", printable(id_or_prefix)),
                "write more characters");
  }
  return rows.front();
}

Result<std::vector<SourcePlanRow>> plans_of_source(sql::Connection& connection, const std::string& source_id,
                                                   std::size_t limit) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kPlansOf, {std::string_view(source_id), static_cast<std::int64_t>(limit)}));
  return sql::read_all(std::move(cursor), read_plan);
}

Status insert_source_plan(WriteTx& tx, const SourcePlanRow& plan) {
  MLOPS_TRY(tx.touch("source_plans", plan.id));
  return tx.sql().execute(
      kInsertPlan, {std::string_view(plan.id), std::string_view(plan.source_id), std::string_view(plan.digest),
                    std::string_view(plan.state), std::string_view(plan.base_commit),
                    std::string_view(plan.target_commit), std::string_view(plan.body), std::string_view(plan.reason),
                    std::string_view(plan.requested_by_id), std::string_view(plan.requested_by), plan.created_at_us});
}

Status set_source_plan_state(WriteTx& tx, const std::string& id, const std::string& state) {
  MLOPS_TRY(tx.touch("source_plans", id));
  const sql::Value applied_at = state == "applied" ? sql::Value(tx.now_us()) : sql::Value(sql::Null{});
  return tx.sql().execute(kSetPlan, {std::string_view(id), std::string_view(state), applied_at});
}

Result<std::vector<SourceApprovalRow>> source_approvals(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kApprovals, {std::string_view(plan_id)}));
  return sql::read_all(std::move(cursor), read_approval);
}

Status insert_source_approval(WriteTx& tx, const SourceApprovalRow& approval) {
  MLOPS_TRY(tx.touch("source_approvals", approval.id));
  return tx.sql().execute(
      kInsertApproval,
      {std::string_view(approval.id), std::string_view(approval.plan_id), std::string_view(approval.plan_digest),
       std::string_view(approval.principal_id), std::string_view(approval.principal), std::string_view(approval.reason),
       approval.created_at_us});
}

Result<std::optional<RevisionSource>> source_of_revision(sql::Connection& connection, const std::string& revision_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOfRevision, {std::string_view(revision_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<RevisionSource>();
  return std::optional(
      RevisionSource{cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.text(4), cursor.text(5)});
}

Status insert_revision_source(WriteTx& tx, const RevisionSource& source) {
  MLOPS_TRY(tx.touch("revision_sources", source.revision_id));
  return tx.sql().execute(kInsertOfRevision, {std::string_view(source.revision_id), std::string_view(source.source_id),
                                              std::string_view(source.source), std::string_view(source.repository),
                                              std::string_view(source.commit), std::string_view(source.path)});
}

}  // namespace mlops::meta
