#include "storage/meta/vault.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindToken = "SELECT token FROM vault_tokens WHERE context = $1 AND fingerprint = $2";
constexpr std::string_view kFindRow =
    "SELECT fingerprint, key_id, sealed FROM vault_tokens WHERE context = $1 AND token = $2";
constexpr std::string_view kInsert =
    "INSERT INTO vault_tokens (context, token, fingerprint, key_id, sealed, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kGroups =
    "SELECT DISTINCT context, key_id FROM vault_tokens WHERE (context >= $1 AND context < $2) OR context = char(10) "
    "ORDER BY context, key_id";
constexpr std::string_view kDelete = "DELETE FROM vault_tokens WHERE context = $1 AND token = $2";
constexpr std::string_view kInsertErased =
    "INSERT INTO vault_erased (context, token, erasure_id, erased_at) VALUES ($1, $2, $3, $4)";
constexpr std::string_view kErasureOf = "SELECT erasure_id FROM vault_erased WHERE context = $1 AND token = $2";
constexpr std::string_view kCountUnder = "SELECT COUNT(*) FROM vault_tokens WHERE key_id = $1";
constexpr std::string_view kRowsUnder =
    "SELECT context, token, fingerprint, sealed FROM vault_tokens WHERE key_id = $1 AND (context, token) > ($2, $3) "
    "ORDER BY context, token LIMIT $4";
constexpr std::string_view kUpdate =
    "UPDATE vault_tokens SET fingerprint = $3, key_id = $4, sealed = $5 WHERE context = $1 AND token = $2";
constexpr std::string_view kCountErased = "SELECT COUNT(*) FROM vault_erased WHERE erasure_id = $1";

std::vector<std::uint8_t> bytes_of(ByteView view) {
  return {view.begin(), view.end()};
}

}  // namespace

Result<std::optional<std::string>> find_vault_token(sql::Connection& connection, std::string_view context,
                                                    ByteView fingerprint) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindToken, {context, fingerprint}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? std::optional<std::string>(cursor.text(0)) : std::nullopt;
}

Result<std::optional<VaultRow>> find_vault_row(sql::Connection& connection, std::string_view context,
                                               std::string_view token) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindRow, {context, token}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<VaultRow>();
  return std::optional<VaultRow>(VaultRow{std::string(context), std::string(token), bytes_of(cursor.blob(0)),
                                          cursor.text(1), bytes_of(cursor.blob(2))});
}

Status insert_vault_row(WriteTx& tx, const VaultRow& row) {
  return tx.sql().execute(kInsert,
                          {std::string_view(row.context), std::string_view(row.token), ByteView(row.fingerprint),
                           std::string_view(row.key_id), ByteView(row.sealed), tx.now_us()});
}

Result<std::vector<VaultGroup>> vault_groups(sql::Connection& connection, const std::string& dataset) {
  const auto begin = dataset + "\n";
  const auto end = dataset + "\v";  // what follows a newline
  MLOPS_ASSIGN(auto cursor, connection.query(kGroups, {std::string_view(begin), std::string_view(end)}));
  std::vector<VaultGroup> groups;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return groups;
    groups.push_back({cursor.text(0), cursor.text(1)});
  }
}

Result<bool> erase_vault_row(WriteTx& tx, const VaultPlace& place, const std::string& erasure_id) {
  const std::string_view context = place.context;
  const std::string_view token = place.token;
  MLOPS_TRY(tx.sql().execute(kDelete, {context, token}));
  if (tx.sql().changes() == 0) return false;
  MLOPS_TRY(tx.sql().execute(kInsertErased, {context, token, std::string_view(erasure_id), tx.now_us()}));
  return true;
}

Result<std::string> vault_erasure_of(sql::Connection& connection, std::string_view context, std::string_view token) {
  MLOPS_ASSIGN(auto cursor, connection.query(kErasureOf, {context, token}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? cursor.text(0) : std::string();
}

Result<std::int64_t> vault_rows_under(sql::Connection& connection, std::string_view key_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kCountUnder, {key_id}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

Result<std::vector<VaultRow>> vault_rows_of(sql::Connection& connection, std::string_view key_id,
                                            const VaultPlace& after, std::size_t limit) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kRowsUnder, {key_id, std::string_view(after.context), std::string_view(after.token),
                                             static_cast<std::int64_t>(limit)}));
  std::vector<VaultRow> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    rows.push_back(
        {cursor.text(0), cursor.text(1), bytes_of(cursor.blob(2)), std::string(key_id), bytes_of(cursor.blob(3))});
  }
}

Status update_vault_row(WriteTx& tx, const VaultRow& row) {
  return tx.sql().execute(kUpdate, {std::string_view(row.context), std::string_view(row.token),
                                    ByteView(row.fingerprint), std::string_view(row.key_id), ByteView(row.sealed)});
}

Result<std::int64_t> erased_vault_rows(sql::Connection& connection, const std::string& erasure_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kCountErased, {std::string_view(erasure_id)}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

}  // namespace mlops::meta
