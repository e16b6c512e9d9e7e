#include "storage/meta/mask_keys.h"

#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kList =
    "SELECT id, name, version, state, origin, purpose, check_digits, sealed, created_at, created_by, changed_at, "
    "changed_by, reason FROM mask_keys ORDER BY name, version";
constexpr std::string_view kInsert =
    "INSERT INTO mask_keys (id, name, version, state, origin, purpose, check_digits, sealed, created_at, created_by, "
    "changed_at, changed_by, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $10, $11)";
constexpr std::string_view kUpdate =
    "UPDATE mask_keys SET state = $2, sealed = $3, changed_at = $4, changed_by = $5, reason = $6 WHERE id = $1";
constexpr std::string_view kFindRing =
    "SELECT id, master_check, derived_check, created_at FROM key_rings WHERE id = $1";
constexpr std::string_view kPutRing =
    "INSERT INTO key_rings (id, master_check, derived_check, created_at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (id) DO UPDATE SET master_check = $2, derived_check = $3";

constexpr std::string_view kUsedIds =
    "SELECT DISTINCT json_extract(c.value, '$.key') FROM masking_runs r, json_each(r.evidence, '$.columns') c "
    "WHERE json_extract(c.value, '$.key') IS NOT NULL UNION SELECT DISTINCT key_id FROM vault_tokens";
constexpr std::string_view kAllPolicies = "SELECT body FROM policies";
constexpr std::string_view kAnyRun =
    "SELECT EXISTS (SELECT 1 FROM masking_runs) OR EXISTS (SELECT 1 FROM vault_tokens)";

Result<std::vector<std::string>> texts(sql::Connection& connection, std::string_view query) {
  MLOPS_ASSIGN(auto cursor, connection.query(query));
  return sql::read_texts(std::move(cursor));
}

sql::Value sealed_or_null(const MaskKeyRow& row) {
  if (row.sealed.empty()) return sql::Null{};
  return ByteView(row.sealed);
}

}  // namespace

Result<std::vector<MaskKeyRow>> list_mask_keys(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kList));
  std::vector<MaskKeyRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    const auto sealed = cursor.blob(7);
    rows.push_back({cursor.text(0),
                    cursor.text(1),
                    cursor.integer(2),
                    cursor.text(3),
                    cursor.text(4),
                    cursor.text(5),
                    cursor.text(6),
                    {sealed.begin(), sealed.end()},
                    cursor.integer(8),
                    cursor.text(9),
                    cursor.integer(10),
                    cursor.text(11),
                    cursor.text(12)});
  }
}

Status insert_mask_key(WriteTx& tx, MaskKeyRow& row) {
  row.created_at_us = row.changed_at_us = tx.now_us();
  row.created_by = row.changed_by = tx.actor().principal.name;
  MLOPS_TRY(tx.touch("mask_keys", row.id));
  return tx.sql().execute(
      kInsert,
      {std::string_view(row.id), std::string_view(row.name), row.version, std::string_view(row.state),
       std::string_view(row.origin), std::string_view(row.purpose), std::string_view(row.check_digits),
       sealed_or_null(row), row.created_at_us, std::string_view(row.created_by), std::string_view(row.reason)});
}

Status update_mask_key(WriteTx& tx, MaskKeyRow& row) {
  row.changed_at_us = tx.now_us();
  row.changed_by = tx.actor().principal.name;
  MLOPS_TRY(tx.touch("mask_keys", row.id));
  return tx.sql().execute(kUpdate, {std::string_view(row.id), std::string_view(row.state), sealed_or_null(row),
                                    row.changed_at_us, std::string_view(row.changed_by), std::string_view(row.reason)});
}

Result<std::optional<KeyRingRow>> find_key_ring(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindRing, {std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<KeyRingRow>();
  return std::optional(KeyRingRow{cursor.text(0), cursor.text(1), cursor.text(2), cursor.integer(3)});
}

Status put_key_ring(WriteTx& tx, KeyRingRow row) {
  if (row.created_at_us == 0) row.created_at_us = tx.now_us();
  MLOPS_TRY(tx.touch("key_rings", row.id));
  return tx.sql().execute(kPutRing, {std::string_view(row.id), std::string_view(row.master_check),
                                     std::string_view(row.derived_check), row.created_at_us});
}

Result<UsedKeys> used_keys(sql::Connection& connection) {
  UsedKeys used;
  MLOPS_ASSIGN(auto any, connection.query(kAnyRun));
  MLOPS_ASSIGN(const bool answered, any.next());
  used.has_runs = answered && any.integer(0) != 0;
  MLOPS_ASSIGN(used.ids, texts(connection, kUsedIds));
  MLOPS_ASSIGN(used.policies, texts(connection, kAllPolicies));
  return used;
}

}  // namespace mlops::meta
