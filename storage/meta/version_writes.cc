// Changes of artifacts, versions, labels and aliases. Each touches its rows first, so the audit log sees both states.
#include <fmt/format.h>

#include "core/base/json.h"
#include "storage/meta/versions.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kInsertArtifact =
    "INSERT INTO artifacts (id, kind, name, last_number, created_at) VALUES ($1, $2, $3, 0, $4)";
constexpr std::string_view kNextNumber =
    "UPDATE artifacts SET last_number = last_number + 1 WHERE id = $1 RETURNING last_number";
constexpr std::string_view kInsertManifest =
    "INSERT INTO manifests (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
constexpr std::string_view kInsertVersion =
    "INSERT INTO versions (id, artifact_id, number, digest, size_bytes, file_count, own_sensitivity, sensitivity, "
    "sensitivity_assumed, params, metrics, description, git, created_at, created_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
constexpr std::string_view kSetContentLabel =
    "INSERT INTO content_labels (digest, sensitivity) VALUES ($1, $2) "
    "ON CONFLICT (digest) DO UPDATE SET sensitivity = excluded.sensitivity";
constexpr std::string_view kOpenLabel =
    "SELECT id, value FROM version_labels WHERE version_id = $1 AND name = $2 AND valid_to IS NULL";
constexpr std::string_view kCloseLabel = "UPDATE version_labels SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kInsertLabel =
    "INSERT INTO version_labels (id, version_id, name, value, valid_from) VALUES ($1, $2, $3, $4, $5)";
constexpr std::string_view kOpenAlias =
    "SELECT id, version_id FROM aliases WHERE artifact_id = $1 AND alias = $2 AND valid_to IS NULL";
constexpr std::string_view kCloseAlias = "UPDATE aliases SET valid_to = $2 WHERE id = $1";
constexpr std::string_view kInsertAlias =
    "INSERT INTO aliases (id, artifact_id, alias, version_id, valid_from) VALUES ($1, $2, $3, $4, $5)";
constexpr std::string_view kDeprecate = "UPDATE versions SET deprecated_reason = $2 WHERE id = $1";
constexpr std::string_view kDelete = "UPDATE versions SET deleted_at = $2, deleted_reason = $3 WHERE id = $1";

sql::Value text_or_null(const std::string& text) {
  if (text.empty()) return sql::Null{};
  return std::string_view(text);
}

struct OpenRow {
  std::string id;
  std::string value;
};

Result<std::optional<OpenRow>> find_open(WriteTx& tx, std::string_view query, const std::string& owner,
                                         const std::string& name) {
  MLOPS_ASSIGN(auto cursor, tx.sql().query(query, {std::string_view(owner), std::string_view(name)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<OpenRow>();
  return std::optional(OpenRow{cursor.text(0), cursor.text(1)});
}

}  // namespace

Result<ArtifactRow> upsert_artifact(WriteTx& tx, model::ArtifactKind kind, const std::string& name) {
  MLOPS_ASSIGN(auto found, find_artifact(tx.sql(), kind, name));
  if (found) return *found;
  ArtifactRow row{tx.new_id(), kind, name, 0};
  MLOPS_TRY(tx.touch("artifacts", row.id));
  MLOPS_TRY(tx.sql().execute(kInsertArtifact,
                             {std::string_view(row.id), to_word(kind), std::string_view(name), tx.now_us()}));
  return row;
}

Status insert_version(WriteTx& tx, model::Version& version, const std::string& manifest_body) {
  MLOPS_TRY(tx.touch("artifacts", version.artifact_id));
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kNextNumber, {std::string_view(version.artifact_id)}));
    MLOPS_TRY(cursor.next());
    version.number = cursor.integer(0);
  }
  version.id = tx.new_id();
  version.created_at_us = tx.now_us();
  const auto digest = version.digest.hex();
  const auto params = canonical_dump(Json(version.params));
  const auto metrics = canonical_dump(Json(version.metrics));
  const auto git = version.git ? canonical_dump({{"commit", version.git->commit},
                                                 {"branch", version.git->branch},
                                                 {"remote", version.git->remote},
                                                 {"dirty", version.git->dirty}})
                               : std::string();
  MLOPS_TRY(tx.sql().execute(kInsertManifest, {std::string_view(digest), std::string_view(manifest_body)}));
  MLOPS_TRY(tx.touch("versions", version.id));
  return tx.sql().execute(
      kInsertVersion,
      {std::string_view(version.id), std::string_view(version.artifact_id), version.number, std::string_view(digest),
       static_cast<std::int64_t>(version.size_bytes), static_cast<std::int64_t>(version.file_count),
       to_word(version.own_sensitivity), to_word(version.sensitivity), std::int64_t{version.sensitivity_assumed},
       std::string_view(params), std::string_view(metrics), std::string_view(version.description), text_or_null(git),
       version.created_at_us, std::string_view(version.created_by)});
}

Status raise_content_label(WriteTx& tx, const crypto::Digest& file, model::Sensitivity label) {
  MLOPS_ASSIGN(const auto known, content_label(tx.sql(), file));
  if (known && *known >= label) return {};
  return tx.sql().execute(kSetContentLabel, {file.hex(), to_word(label)});
}

Status set_label(WriteTx& tx, const std::string& version_id, const std::string& name,
                 const std::optional<std::string>& value) {
  MLOPS_ASSIGN(auto open, find_open(tx, kOpenLabel, version_id, name));
  if (open && value && open->value == *value) return {};
  if (open) {
    MLOPS_TRY(tx.touch("version_labels", open->id));
    MLOPS_TRY(tx.sql().execute(kCloseLabel, {std::string_view(open->id), tx.now_us()}));
  }
  if (!value) return {};
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("version_labels", id));
  return tx.sql().execute(kInsertLabel, {std::string_view(id), std::string_view(version_id), std::string_view(name),
                                         std::string_view(*value), tx.now_us()});
}

Status set_alias(WriteTx& tx, const std::string& artifact_id, const std::string& alias,
                 const std::optional<std::string>& version_id) {
  MLOPS_ASSIGN(auto open, find_open(tx, kOpenAlias, artifact_id, alias));
  if (open && version_id && open->value == *version_id) return {};
  if (open) {
    MLOPS_TRY(tx.touch("aliases", open->id));
    MLOPS_TRY(tx.sql().execute(kCloseAlias, {std::string_view(open->id), tx.now_us()}));
  }
  if (!version_id) return {};
  const auto id = tx.new_id();
  MLOPS_TRY(tx.touch("aliases", id));
  return tx.sql().execute(kInsertAlias, {std::string_view(id), std::string_view(artifact_id), std::string_view(alias),
                                         std::string_view(*version_id), tx.now_us()});
}

Status set_deprecated(WriteTx& tx, const std::string& version_id, const std::string& reason) {
  MLOPS_TRY(tx.touch("versions", version_id));
  return tx.sql().execute(kDeprecate, {std::string_view(version_id), text_or_null(reason)});
}

Status set_deleted(WriteTx& tx, const std::string& version_id, const std::string& reason) {
  MLOPS_TRY(tx.touch("versions", version_id));
  return tx.sql().execute(kDelete, {std::string_view(version_id), tx.now_us(), std::string_view(reason)});
}

}  // namespace mlops::meta
