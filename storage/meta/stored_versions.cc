#include "storage/meta/stored_versions.h"

#include <fmt/format.h>

namespace mlops::meta {
namespace {

#define MLOPS_STORED_COLUMNS "v.id, a.kind, a.name, v.number, v.digest, v.deleted_at, v.deleted_reason"

constexpr std::string_view kLive =
    "SELECT " MLOPS_STORED_COLUMNS
    " FROM versions v JOIN artifacts a ON a.id = v.artifact_id WHERE v.deleted_at IS NULL ORDER BY v.id DESC";
constexpr std::string_view kDeleted =
    "SELECT " MLOPS_STORED_COLUMNS
    " FROM versions v JOIN artifacts a ON a.id = v.artifact_id WHERE v.deleted_at IS NOT NULL "
    "ORDER BY v.deleted_at, v.id";
constexpr std::string_view kLiveManifests =
    "SELECT DISTINCT digest FROM versions WHERE deleted_at IS NULL ORDER BY digest";
// An open deployment has no end; MAX() skips it, so it is counted apart.
constexpr std::string_view kStays =
    "SELECT m.version_id, d.environment, MAX(d.valid_to), COUNT(*) - COUNT(d.valid_to) "
    "FROM versions v JOIN release_members m ON m.version_id = v.id JOIN deployments d ON d.release_id = m.release_id "
    "WHERE v.deleted_at IS NOT NULL GROUP BY m.version_id, d.environment";

Failure bad_row(const std::string& id, std::string_view column) {
  return fail(ErrorCode::kCorrupt, "bad_row", fmt::format("the version row {} has an unreadable {}", id, column),
              "run `mlopsctl audit verify`");
}

Result<std::vector<StoredVersion>> read_all(sql::Cursor cursor) {
  std::vector<StoredVersion> versions;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return versions;
    StoredVersion version;
    version.id = cursor.text(0);
    const auto kind = model::artifact_kind_from_word(cursor.text_view(1));
    if (!kind) return bad_row(version.id, "kind");
    version.kind = *kind;
    version.name = cursor.text(2);
    version.number = cursor.integer(3);
    const auto digest = crypto::Digest::parse_hex(cursor.text_view(4));
    if (!digest) return bad_row(version.id, "digest");
    version.manifest = *digest;
    version.deleted_at_us = cursor.integer(5);
    version.deleted_reason = cursor.text(6);
    versions.push_back(std::move(version));
  }
}

}  // namespace

Result<std::vector<StoredVersion>> live_versions(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLive));
  return read_all(std::move(cursor));
}

Result<std::vector<StoredVersion>> deleted_versions(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kDeleted));
  return read_all(std::move(cursor));
}

Result<std::vector<crypto::Digest>> live_manifests(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLiveManifests));
  std::vector<crypto::Digest> digests;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return digests;
    const auto digest = crypto::Digest::parse_hex(cursor.text_view(0));
    if (!digest) return bad_row("of a live version", "digest");
    digests.push_back(*digest);
  }
}

Result<std::vector<Stay>> stays_of_deleted(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kStays));
  std::vector<Stay> stays;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return stays;
    stays.push_back({cursor.text(0), cursor.text(1), cursor.integer(3) > 0 ? 0 : cursor.integer(2)});
  }
}

}  // namespace mlops::meta
