#include "storage/meta/versions.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/interval.h"
#include "storage/meta/version_rows.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindArtifact =
    "SELECT id, kind, name, last_number FROM artifacts WHERE name = $1 AND kind = $2";
constexpr std::string_view kFindArtifactsByName =
    "SELECT id, kind, name, last_number FROM artifacts WHERE name = $1 ORDER BY kind";
constexpr std::string_view kAllNames = "SELECT DISTINCT name FROM artifacts ORDER BY name LIMIT 1000";
constexpr std::string_view kCountVersions =
    "SELECT COUNT(*) FROM versions WHERE artifact_id = $1 AND deleted_at IS NULL";
constexpr std::string_view kByContent = "SELECT " MLOPS_VERSION_COLUMNS
                                        " FROM versions v JOIN artifacts a ON a.id = v.artifact_id "
                                        "WHERE v.artifact_id = $1 AND v.digest = $2 AND v.deleted_at IS NULL";
constexpr std::string_view kById =
    "SELECT " MLOPS_VERSION_COLUMNS " FROM versions v JOIN artifacts a ON a.id = v.artifact_id WHERE v.id = $1";
constexpr std::string_view kLabels =
    "SELECT name, value FROM version_labels WHERE version_id = $1 AND valid_from <= $2 AND "
    "(valid_to IS NULL OR valid_to > $2)";
constexpr std::string_view kAliases =
    "SELECT alias FROM aliases WHERE version_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) "
    "ORDER BY alias";
constexpr std::string_view kAliasesOfArtifact =
    "SELECT alias, version_id FROM aliases WHERE artifact_id = $1 AND valid_to IS NULL";
constexpr std::string_view kAliasTarget =
    "SELECT version_id FROM aliases WHERE artifact_id = $1 AND alias = $2 AND valid_from <= $3 AND "
    "(valid_to IS NULL OR valid_to > $3)";
constexpr std::string_view kManifest = "SELECT body FROM manifests WHERE digest = $1";
constexpr std::string_view kContentLabel = "SELECT sensitivity FROM content_labels WHERE digest = $1";
constexpr std::string_view kAllManifests = "SELECT digest, body FROM manifests ORDER BY digest";

ArtifactRow read_artifact(const sql::Cursor& cursor) {
  return {cursor.text(0), model::artifact_kind_from_word(cursor.text_view(1)).value_or(model::ArtifactKind::kModel),
          cursor.text(2), cursor.integer(3)};
}

Result<std::vector<ArtifactRow>> read_artifacts(sql::Cursor cursor) {
  return sql::read_all(std::move(cursor), read_artifact);
}

Result<Failure> artifact_not_found(sql::Connection& connection, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kAllNames));
  std::vector<std::string> names;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) break;
    names.push_back(cursor.text(0));
  }
  const auto near = nearest_word(name, names);
  return fail(ErrorCode::kNotFound, "artifact_not_found", fmt::format("there is no artifact \"{}\"", name),
              near ? fmt::format("did you mean \"{}\"?", *near) : "`mlopsctl list` shows all");
}

}  // namespace

Result<std::optional<ArtifactRow>> find_artifact(sql::Connection& connection, model::ArtifactKind kind,
                                                 const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindArtifact, {std::string_view(name), to_word(kind)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<ArtifactRow>();
  return std::optional(read_artifact(cursor));
}

Result<std::vector<ArtifactRow>> find_artifacts(sql::Connection& connection, std::optional<model::ArtifactKind> kind,
                                                const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindArtifactsByName, {std::string_view(name)}));
  MLOPS_ASSIGN(auto rows, read_artifacts(std::move(cursor)));
  if (kind) std::erase_if(rows, [&](const auto& row) { return row.kind != *kind; });
  if (rows.empty()) {
    MLOPS_ASSIGN(auto failure, artifact_not_found(connection, name));
    return failure;
  }
  return rows;
}

Result<ArtifactRow> the_artifact(sql::Connection& connection, std::optional<model::ArtifactKind> kind,
                                 const std::string& name) {
  MLOPS_ASSIGN(auto rows, find_artifacts(connection, kind, name));
  if (rows.size() == 1) return rows.front();
  return fail(ErrorCode::kConflict, "ambiguous_reference",
              fmt::format("\"{0}\" is both a model and a dataset: model:{0}, dataset:{0}", name),
              "put model: or dataset: before the name",
              canonical_dump({{"candidates", {"model:" + name, "dataset:" + name}}}));
}

Result<std::vector<ArtifactRow>> list_artifacts(sql::Connection& connection, const ArtifactFilter& filter) {
  std::string query = "SELECT id, kind, name, last_number FROM artifacts WHERE (name, kind) > ($1, $2)";
  const auto colon = std::min(filter.after.find(':'), filter.after.size());
  const auto after_name = std::string_view(filter.after).substr(0, colon);
  const auto after_kind = std::string_view(filter.after).substr(std::min(colon + 1, filter.after.size()));
  std::vector<sql::Value> values{after_name, after_kind};
  std::string prefix_end;
  if (!filter.prefix.empty()) {
    prefix_end = filter.prefix;
    prefix_end.push_back('\x7f');
    query += " AND name >= $3 AND name < $4";
    values.emplace_back(std::string_view(filter.prefix));
    values.emplace_back(std::string_view(prefix_end));
  }
  if (filter.kind) {
    values.emplace_back(to_word(*filter.kind));
    query += fmt::format(" AND kind = ${}", values.size());
  }
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  query += fmt::format(" ORDER BY name, kind LIMIT ${}", values.size());
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  return read_artifacts(std::move(cursor));
}

Result<std::int64_t> count_versions(sql::Connection& connection, const std::string& artifact_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kCountVersions, {std::string_view(artifact_id)}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

Result<model::Version> get_version(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kById, {std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return fail(ErrorCode::kNotFound, "version_not_found", "there is no such version");
  return read_version(cursor);
}

Result<std::optional<model::Version>> find_by_content(sql::Connection& connection, const std::string& artifact_id,
                                                      const crypto::Digest& digest) {
  MLOPS_ASSIGN(auto cursor, connection.query(kByContent, {std::string_view(artifact_id), digest.hex()}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<model::Version>();
  MLOPS_ASSIGN(auto version, read_version(cursor));
  return std::optional(std::move(version));
}

Result<std::vector<model::Version>> list_versions(sql::Connection& connection, const VersionFilter& filter) {
  std::string query = "SELECT " MLOPS_VERSION_COLUMNS
                      " FROM versions v JOIN artifacts a ON a.id = v.artifact_id WHERE v.created_at <= $1";
  std::vector<sql::Value> values{moment(filter.as_of_us)};
  const auto add = [&](std::string_view clause, sql::Value value) {
    values.push_back(value);
    query += fmt::format(fmt::runtime(clause), values.size());
  };
  if (filter.kind) add(" AND a.kind = ${}", to_word(*filter.kind));
  if (!filter.name.empty()) add(" AND a.name = ${}", std::string_view(filter.name));
  if (!filter.include_deleted) query += " AND (v.deleted_at IS NULL OR v.deleted_at > $1)";
  if (!filter.label_name.empty()) {
    add(" AND EXISTS (SELECT 1 FROM version_labels l WHERE l.version_id = v.id AND l.valid_from <= $1 AND (l.valid_to "
        "IS "
        "NULL OR l.valid_to > $1) AND l.name = ${}",
        std::string_view(filter.label_name));
    add(" AND l.value = ${})", std::string_view(filter.label_value));
  }
  // Ids are UUIDv7: their order is that of creation.
  if (!filter.after_id.empty()) add(" AND v.id < ${}", std::string_view(filter.after_id));
  add(" ORDER BY v.id DESC LIMIT ${}", static_cast<std::int64_t>(filter.limit));
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  std::vector<model::Version> versions;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return versions;
    MLOPS_ASSIGN(auto version, read_version(cursor));
    versions.push_back(std::move(version));
  }
}

Result<std::map<std::string, std::string>> labels_of(sql::Connection& connection, const std::string& version_id,
                                                     TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLabels, {std::string_view(version_id), moment(as_of_us)}));
  std::map<std::string, std::string> labels;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return labels;
    labels[cursor.text(0)] = cursor.text(1);
  }
}

Result<std::vector<std::string>> aliases_of(sql::Connection& connection, const std::string& version_id,
                                            TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kAliases, {std::string_view(version_id), moment(as_of_us)}));
  return sql::read_texts(std::move(cursor));
}

Result<std::map<std::string, std::string>> aliases_of_artifact(sql::Connection& connection,
                                                               const std::string& artifact_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kAliasesOfArtifact, {std::string_view(artifact_id)}));
  std::map<std::string, std::string> aliases;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return aliases;
    aliases[cursor.text(0)] = cursor.text(1);
  }
}

Result<std::optional<std::string>> alias_target(sql::Connection& connection, const std::string& artifact_id,
                                                const std::string& alias, TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kAliasTarget, {std::string_view(artifact_id), std::string_view(alias),
                                                            moment(as_of_us)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<std::string>();
  return std::optional(cursor.text(0));
}

Result<std::string> manifest_body(sql::Connection& connection, const crypto::Digest& digest) {
  MLOPS_ASSIGN(auto cursor, connection.query(kManifest, {digest.hex()}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) {
    return fail(ErrorCode::kCorrupt, "manifest_missing", fmt::format("the manifest {} is missing", digest.to_string()),
                "run `mlopsctl fsck`");
  }
  return cursor.text(0);
}

Result<std::optional<model::Sensitivity>> content_label(sql::Connection& connection, const crypto::Digest& file) {
  MLOPS_ASSIGN(auto cursor, connection.query(kContentLabel, {file.hex()}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<model::Sensitivity>();
  return model::sensitivity_from_word(cursor.text_view(0));
}

Result<std::vector<std::pair<std::string, std::string>>> all_manifests(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kAllManifests));
  std::vector<std::pair<std::string, std::string>> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.emplace_back(cursor.text(0), cursor.text(1));
  }
}

}  // namespace mlops::meta
