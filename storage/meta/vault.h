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

// Where a token stands; what it stands for is not told.
struct VaultPlace {
  std::string context;
  std::string token;
  auto operator<=>(const VaultPlace&) const = default;
};
// The groups of a dataset's contexts: its columns', its own, and the one that all datasets share.
struct VaultGroup {
  std::string context;
  std::string key_id;
};
Result<std::vector<VaultGroup>> vault_groups(sql::Connection& connection, const std::string& dataset);
// Takes the value away and leaves a tombstone; a token that is not there is no error. REQUIRES: an open audit entry,
// which counts them.
Result<bool> erase_vault_row(WriteTx& tx, const VaultPlace& place, const std::string& erasure_id);
// Empty: the token was not erased.
Result<std::string> vault_erasure_of(sql::Connection& connection, std::string_view context, std::string_view token);
// How many values are sealed under a key; versions masked later use these tokens, too.
Result<std::int64_t> vault_rows_under(sql::Connection& connection, std::string_view key_id);
// Rows sealed under a key, in the order of their places, from behind `after` on.
Result<std::vector<VaultRow>> vault_rows_of(sql::Connection& connection, std::string_view key_id,
                                            const VaultPlace& after, std::size_t limit);
// Fingerprint, key and seal of the token. REQUIRES: an open audit entry, which counts them.
Status update_vault_row(WriteTx& tx, const VaultRow& row);
// How many an erasure took.
Result<std::int64_t> erased_vault_rows(sql::Connection& connection, const std::string& erasure_id);

}  // namespace mlops::meta
