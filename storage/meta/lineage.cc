#include "storage/meta/lineage.h"

#include <fmt/format.h>

#include "storage/meta/interval.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kUp =
    "SELECT from_version_id, to_version_id, role, recorded_at FROM edges WHERE to_version_id = $1 AND valid_from <= $2 "
    "ORDER BY id";
constexpr std::string_view kDown =
    "SELECT from_version_id, to_version_id, role, recorded_at FROM edges WHERE from_version_id = $1 AND valid_from <= "
    "$2 ORDER BY id";
constexpr std::string_view kInputs =
    "SELECT v.id, a.name || '@v' || v.number, v.digest, e.role FROM edges e JOIN versions v ON v.id = "
    "e.from_version_id JOIN artifacts a ON a.id = v.artifact_id WHERE e.to_version_id = $1 AND e.role <> 'masked' "
    "ORDER BY e.id";
constexpr std::string_view kInsertEdge =
    "INSERT INTO edges (id, from_version_id, to_version_id, role, valid_from, recorded_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kEdgeExists =
    "SELECT 1 FROM edges WHERE from_version_id = $1 AND to_version_id = $2 AND role = $3";
constexpr std::string_view kRunByOutput =
    "SELECT id, source_version_id, output_version_id, policy_revision_id, evidence, created_at, created_by "
    "FROM masking_runs WHERE output_version_id = $1 ORDER BY id DESC";
constexpr std::string_view kHoldsMasked =
    "SELECT 1 FROM masking_runs r JOIN versions v ON v.id = r.output_version_id WHERE v.artifact_id = $1 LIMIT 1";
constexpr std::string_view kRunBySource =
    "SELECT r.id, r.source_version_id, r.output_version_id, r.policy_revision_id, r.evidence, r.created_at, "
    "r.created_by FROM masking_runs r JOIN policies p ON p.id = r.policy_revision_id "
    "JOIN versions v ON v.id = r.output_version_id "
    "WHERE r.source_version_id = $1 AND p.digest = $2 AND v.deleted_at IS NULL ORDER BY r.id DESC LIMIT 1";
constexpr std::string_view kInsertRun =
    "INSERT INTO masking_runs (id, source_version_id, output_version_id, policy_revision_id, evidence, created_at, "
    "created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)";

MaskingRunRow read_run(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1),    cursor.text(2), cursor.text(3),
          cursor.text(4), cursor.integer(5), cursor.text(6)};
}

}  // namespace

Result<std::vector<EdgeRow>> edges_of(sql::Connection& connection, const std::string& version_id, Direction direction,
                                      TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(direction == Direction::kUp ? kUp : kDown,
                                             {std::string_view(version_id), moment(as_of_us)}));
  std::vector<EdgeRow> edges;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return edges;
    edges.push_back({cursor.text(0), cursor.text(1), cursor.text(2), cursor.integer(3)});
  }
}

Result<std::vector<model::VersionInput>> inputs_of(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kInputs, {std::string_view(version_id)}));
  std::vector<model::VersionInput> inputs;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return inputs;
    inputs.push_back({cursor.text(0), cursor.text(1), "sha256:" + cursor.text(2), cursor.text(3)});
  }
}

Status insert_edge(WriteTx& tx, const std::string& from_version_id, const std::string& to_version_id,
                   const std::string& role) {
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kEdgeExists, {std::string_view(from_version_id),
                                                           std::string_view(to_version_id), std::string_view(role)}));
    MLOPS_ASSIGN(const bool exists, cursor.next());
    if (exists) return {};
  }
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("edges", id));
  return tx.sql().execute(kInsertEdge,
                          {std::string_view(id), std::string_view(from_version_id), std::string_view(to_version_id),
                           std::string_view(role), tx.now_us(), tx.now_us()});
}

Result<std::vector<MaskingRunRow>> masking_runs_of_output(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kRunByOutput, {std::string_view(version_id)}));
  return sql::read_all(std::move(cursor), read_run);
}

Result<bool> holds_masked_versions(sql::Connection& connection, const std::string& artifact_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kHoldsMasked, {std::string_view(artifact_id)}));
  return cursor.next();
}

Result<std::optional<MaskingRunRow>> find_masking_run(sql::Connection& connection, const std::string& source_version_id,
                                                      const std::string& policy_digest) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kRunBySource, {std::string_view(source_version_id), std::string_view(policy_digest)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<MaskingRunRow>();
  return std::optional(read_run(cursor));
}

Status insert_masking_run(WriteTx& tx, const MaskingRunRow& run) {
  MLOPS_TRY(tx.touch("masking_runs", run.id));
  return tx.sql().execute(kInsertRun,
                          {std::string_view(run.id), std::string_view(run.source_version_id),
                           std::string_view(run.output_version_id), std::string_view(run.policy_revision_id),
                           std::string_view(run.evidence), run.created_at_us, std::string_view(run.created_by)});
}

}  // namespace mlops::meta
