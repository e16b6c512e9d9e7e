// Rows of the token vault: what a token of masking stands for, sealed by who made it.
// A context and a fingerprint have one token for ever. Errors: those of sql. Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct VaultRow {
  std::string context;
  std::string token;
  std::vector<std::uint8_t> fingerprint;
  std::string key_id;
  std::vector<std::uint8_t> sealed;
};

Result<std::optional<std::string>> find_vault_token(sql::Connection& connection, std::string_view context,
                                                    ByteView fingerprint);
Result<std::optional<VaultRow>> find_vault_row(sql::Connection& connection, std::string_view context,
                                               std::string_view token);
// REQUIRES: neither token nor fingerprint is in the context yet; an open audit entry.
Status insert_vault_row(WriteTx& tx, const VaultRow& row);

}  // namespace mlops::meta
