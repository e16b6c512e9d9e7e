// What gates ask for beyond a version's own row: signatures, declared schemas, scans at registration, measurements.
// Errors: those of sql::Connection; kConflict "signed_already", "schema_differs". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/schema.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct SignatureRow {
  std::string id;
  std::string version_id;
  std::string key_id;
  std::string principal_id;
  std::string principal_name;
  std::string roles;      // separated by blanks
  std::string statement;  // the bytes that were signed
  std::string signature;  // base64
  TimestampUs created_at_us = 0;
  std::string public_key;  // base64, of the key
  std::optional<TimestampUs> key_expires_at_us;
  std::optional<TimestampUs> key_revoked_at_us;
};
// Oldest first.
Result<std::vector<SignatureRow>> signatures_of(sql::Connection& connection, const std::string& version_id);
Status insert_signature(WriteTx& tx, const SignatureRow& row);

Result<model::VersionSchemas> schemas_of(sql::Connection& connection, const std::string& version_id);
// What is declared once stands: the same again is no error. REQUIRES: not empty.
Status declare_schemas(WriteTx& tx, const std::string& version_id, const model::VersionSchemas& schemas);

struct ScanRow {
  std::string version_id;
  std::int64_t findings = 0;
  std::string scan;  // JSON
};
Result<std::optional<ScanRow>> scan_of(sql::Connection& connection, const std::string& version_id);
Status insert_scan(WriteTx& tx, const ScanRow& row);

struct ProfileRow {
  std::string id;
  std::string version_id;
  std::string kind;
  std::string result;  // JSON
  TimestampUs created_at_us = 0;
};
Result<std::optional<ProfileRow>> find_profile(sql::Connection& connection, const std::string& id);
// Nothing happens when it is there.
Status insert_profile(WriteTx& tx, const ProfileRow& row);

}  // namespace mlops::meta
