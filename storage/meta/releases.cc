#include "storage/meta/releases.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "storage/meta/interval.h"
#include "storage/meta/version_rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindRelease =
    "SELECT id, number FROM releases WHERE name = $1 AND kind = $2 AND digest = $3";
constexpr std::string_view kNextRelease =
    "SELECT COALESCE(MAX(number), 0) + 1 FROM releases WHERE name = $1 AND kind = $2";
constexpr std::string_view kInsertRelease =
    "INSERT INTO releases (id, kind, name, number, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kInsertMember =
    "INSERT INTO release_members (id, release_id, position, version_id) VALUES ($1, $2, $3, $4)";
constexpr std::string_view kMembers =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM release_members m JOIN versions v ON v.id = m.version_id JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE m.release_id = $1 ORDER BY m.position";
constexpr std::string_view kDeployments =
    "SELECT d.id, d.environment, d.kind, d.name, d.release_id, r.number, d.plan_id, d.action, d.reason, d.created_by, "
    "d.valid_from, d.valid_to FROM deployments d JOIN releases r ON r.id = d.release_id WHERE d.valid_from <= $1";
constexpr std::string_view kEnvironmentsOf =
    "SELECT DISTINCT d.environment FROM release_members m JOIN deployments d ON d.release_id = m.release_id "
    "WHERE m.version_id = $1 AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2) ORDER BY d.environment";
constexpr std::string_view kCloseDeployment = "UPDATE deployments SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kInsertDeployment =
    "INSERT INTO deployments (id, environment, kind, name, release_id, plan_id, action, reason, created_by, "
    "valid_from, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

DeploymentRow read_deployment(const sql::Cursor& cursor) {
  DeploymentRow row;
  row.id = cursor.text(0);
  row.environment = cursor.text(1);
  row.kind = model::artifact_kind_from_word(cursor.text_view(2)).value_or(model::ArtifactKind::kModel);
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

// Members by typed reference and digest: the same content under another name is another release.
std::string release_digest(const std::vector<model::Version>& members) {
  Json list = Json::array();
  for (const auto& member : members) {
    list.push_back({{"version", member.typed_ref()}, {"digest", member.digest.to_string()}});
  }
  return crypto::sha256(canonical_dump(list)).to_string();
}

}  // namespace

Result<ReleaseRow> upsert_release(WriteTx& tx, const std::vector<model::Version>& members) {
  const auto& first = members.front();
  ReleaseRow release{{}, first.kind, first.name, 0, release_digest(members)};
  const std::string_view name = release.name;
  {
    MLOPS_ASSIGN(auto cursor,
                 tx.sql().query(kFindRelease, {name, to_word(release.kind), std::string_view(release.digest)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found) {
      release.id = cursor.text(0);
      release.number = cursor.integer(1);
      return release;
    }
  }
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kNextRelease, {name, to_word(release.kind)}));
    MLOPS_TRY(cursor.next());
    release.number = cursor.integer(0);
  }
  release.id = tx.new_id();
  MLOPS_TRY(tx.touch("releases", release.id));
  MLOPS_TRY(tx.sql().execute(kInsertRelease, {std::string_view(release.id), to_word(release.kind), name, release.number,
                                              std::string_view(release.digest), tx.now_us()}));
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto id = tx.new_id();
    MLOPS_TRY(tx.touch("release_members", id));
    MLOPS_TRY(tx.sql().execute(kInsertMember, {std::string_view(id), std::string_view(release.id),
                                               static_cast<std::int64_t>(i), std::string_view(members[i].id)}));
  }
  return release;
}

Result<std::vector<model::Version>> release_members(sql::Connection& connection, const std::string& release_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kMembers, {std::string_view(release_id)}));
  std::vector<model::Version> members;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return members;
    MLOPS_ASSIGN(auto version, read_version(cursor));
    members.push_back(std::move(version));
  }
}

Result<DeploymentRow> get_deployment(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor,
               connection.query_text(std::string(kDeployments) + " AND d.id = $2", {moment(0), std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_deployment(cursor);
  return fail(ErrorCode::kNotFound, "deployment_not_found", fmt::format("there is no deployment {}", printable(id)));
}

Result<std::vector<DeploymentRow>> list_deployments(sql::Connection& connection, const DeploymentFilter& filter) {
  std::string query(kDeployments);
  std::vector<sql::Value> values{moment(filter.as_of_us)};
  const auto add = [&](std::string_view clause, std::string_view value) {
    if (value.empty()) return;
    values.emplace_back(value);
    query += fmt::format(fmt::runtime(clause), values.size());
  };
  add(" AND d.environment = ${}", filter.environment);
  add(" AND d.name = ${}", filter.name);
  add(" AND d.release_id = ${}", filter.release_id);
  add(" AND EXISTS (SELECT 1 FROM release_members m WHERE m.release_id = d.release_id AND m.version_id = ${})",
      filter.version_id);
  if (filter.running_only) query += " AND (d.valid_to IS NULL OR d.valid_to > $1)";
  add(" AND d.id < ${}", filter.after_id);
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  query += fmt::format(" ORDER BY d.id DESC LIMIT ${}", values.size());
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  std::vector<DeploymentRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back(read_deployment(cursor));
  }
}

Result<std::vector<std::string>> environments_of(sql::Connection& connection, const std::string& version_id,
                                                 TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kEnvironmentsOf, {std::string_view(version_id), moment(as_of_us)}));
  std::vector<std::string> names;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return names;
    names.push_back(cursor.text(0));
  }
}

Status close_deployment(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("deployments", id));
  return tx.sql().execute(kCloseDeployment, {std::string_view(id), tx.now_us()});
}

Status insert_deployment(WriteTx& tx, const DeploymentRow& row) {
  MLOPS_TRY(tx.touch("deployments", row.id));
  return tx.sql().execute(kInsertDeployment,
                          {std::string_view(row.id), std::string_view(row.environment), to_word(row.kind),
                           std::string_view(row.name), std::string_view(row.release_id), std::string_view(row.plan_id),
                           std::string_view(row.action), std::string_view(row.reason), std::string_view(row.created_by),
                           row.valid_from_us, tx.now_us()});
}

}  // namespace mlops::meta
