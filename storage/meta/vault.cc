#include "storage/meta/vault.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindToken = "SELECT token FROM vault_tokens WHERE context = $1 AND fingerprint = $2";
constexpr std::string_view kFindRow =
    "SELECT fingerprint, key_id, sealed FROM vault_tokens WHERE context = $1 AND token = $2";
constexpr std::string_view kInsert =
    "INSERT INTO vault_tokens (context, token, fingerprint, key_id, sealed, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)";

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

}  // namespace mlops::meta
