#include "storage/meta/evidence.h"

#include <fmt/format.h>

#include "storage/meta/optional_time.h"
#include "storage/meta/versions.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kSignaturesOf =
    "SELECT s.id, s.version_id, s.key_id, s.principal_id, p.name, s.roles, s.statement, s.signature, s.created_at, "
    "k.public_key, k.expires_at, k.revoked_at FROM version_signatures s JOIN principals p ON p.id = s.principal_id "
    "JOIN signing_keys k ON k.id = s.key_id WHERE s.version_id = $1 ORDER BY s.id";
constexpr std::string_view kFindSignature = "SELECT id FROM version_signatures WHERE version_id = $1 AND key_id = $2";
constexpr std::string_view kInsertSignature =
    "INSERT INTO version_signatures (id, version_id, key_id, principal_id, roles, statement, signature, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kSchemasOf = "SELECT schemas FROM version_schemas WHERE id = $1";
constexpr std::string_view kInsertSchemas = "INSERT INTO version_schemas (id, schemas, created_at) VALUES ($1, $2, $3)";
constexpr std::string_view kScanOf = "SELECT id, findings, scan FROM version_scans WHERE id = $1";
constexpr std::string_view kInsertScan = "INSERT INTO version_scans (id, findings, scan) VALUES ($1, $2, $3)";
constexpr std::string_view kFindProfile = "SELECT id, version_id, kind, result, created_at FROM profiles WHERE id = $1";
constexpr std::string_view kInsertProfile =
    "INSERT INTO profiles (id, version_id, kind, result, created_at) VALUES ($1, $2, $3, $4, $5)";

// The one column of the one row; nullopt: no row.
Result<std::optional<std::string>> one_text(sql::Cursor cursor) {
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<std::string>();
  return std::optional(cursor.text(0));
}

}  // namespace

Result<std::vector<SignatureRow>> signatures_of(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kSignaturesOf, {version_id}));
  std::vector<SignatureRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back({cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.text(4), cursor.text(5),
                    cursor.text(6), cursor.text(7), cursor.integer(8), cursor.text(9), time_or_none(cursor, 10),
                    time_or_none(cursor, 11)});
  }
}

Status insert_signature(WriteTx& tx, const SignatureRow& row) {
  MLOPS_ASSIGN(auto cursor, tx.sql().query(kFindSignature, {row.version_id, row.key_id}));
  MLOPS_ASSIGN(const auto existing, one_text(std::move(cursor)));
  if (existing) {
    return fail(ErrorCode::kConflict, "signed_already",
                fmt::format("the key {} has signed this version before", row.key_id));
  }
  MLOPS_TRY(tx.touch("version_signatures", row.id));
  return tx.sql().execute(kInsertSignature, {row.id, row.version_id, row.key_id, row.principal_id, row.roles,
                                             row.statement, row.signature, row.created_at_us});
}

Result<model::VersionSchemas> schemas_of(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kSchemasOf, {version_id}));
  MLOPS_ASSIGN(const auto text, one_text(std::move(cursor)));
  if (!text) return model::VersionSchemas();
  MLOPS_ASSIGN(const auto json, parse_json(*text));
  return model::schemas_from_json(json);
}

Status declare_schemas(WriteTx& tx, const std::string& version_id, const model::VersionSchemas& schemas) {
  const auto text = canonical_dump(model::to_json(schemas));
  MLOPS_ASSIGN(auto cursor, tx.sql().query(kSchemasOf, {version_id}));
  MLOPS_ASSIGN(const auto existing, one_text(std::move(cursor)));
  if (existing && *existing == text) return {};
  if (existing) {
    return fail(ErrorCode::kConflict, "schema_differs",
                "the version declares another schema; what a version declares does not change",
                "register changed bytes as a new version");
  }
  MLOPS_TRY(tx.touch("version_schemas", version_id));
  return tx.sql().execute(kInsertSchemas, {version_id, text, tx.now_us()});
}

Result<std::optional<ScanRow>> scan_of(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kScanOf, {version_id}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<ScanRow>();
  return std::optional(ScanRow{cursor.text(0), cursor.integer(1), cursor.text(2)});
}

Status insert_scan(WriteTx& tx, const ScanRow& row) {
  MLOPS_TRY(tx.touch("version_scans", row.version_id));
  return tx.sql().execute(kInsertScan, {row.version_id, row.findings, row.scan});
}

Result<std::optional<ProfileRow>> find_profile(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindProfile, {id}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<ProfileRow>();
  return std::optional(ProfileRow{cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.integer(4)});
}

Status insert_profile(WriteTx& tx, const ProfileRow& row) {
  MLOPS_ASSIGN(const auto existing, find_profile(tx.sql(), row.id));
  if (existing) return {};
  MLOPS_TRY(tx.touch("profiles", row.id));
  return tx.sql().execute(kInsertProfile, {row.id, row.version_id, row.kind, row.result, row.created_at_us});
}

}  // namespace mlops::meta
