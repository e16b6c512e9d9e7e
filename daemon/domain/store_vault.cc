#include "daemon/domain/store_vault.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "daemon/domain/identity.h"
#include "storage/meta/mask_keys.h"
#include "storage/meta/vault.h"

namespace mlops::domain {

using Tokens = std::vector<std::optional<std::string>>;

namespace {

// What is under one of them can never be read: the run that made it is refused when it asks for its keys again.
Result<std::set<std::string>> destroyed_keys(sql::Connection& connection) {
  MLOPS_ASSIGN(const auto keys, meta::list_mask_keys(connection));
  std::set<std::string> ids;
  for (const auto& key : keys) {
    if (key.sealed.empty()) ids.insert(key.id);
  }
  return ids;
}

}  // namespace

Result<Tokens> StoreVault::find_locked(std::string_view context, std::span<const mask::Fingerprint> fingerprints) {
  MLOPS_ASSIGN(auto tokens, waiting_.find(context, fingerprints));
  const auto read = store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i]) continue;
      MLOPS_ASSIGN(tokens[i], meta::find_vault_token(connection, context, fingerprints[i]));
    }
    return true;
  });
  if (!read) return fail(read.error());
  return tokens;
}

Result<Tokens> StoreVault::find(std::string_view context, std::span<const mask::Fingerprint> fingerprints) {
  std::lock_guard lock(mutex_);
  return find_locked(context, fingerprints);
}

Result<std::vector<std::string>> StoreVault::add(std::string_view context, std::span<const mask::VaultEntry> entries) {
  std::vector<mask::Fingerprint> fingerprints;
  for (const auto& entry : entries) fingerprints.push_back(entry.fingerprint);
  std::lock_guard lock(mutex_);
  MLOPS_ASSIGN(const auto known, find_locked(context, fingerprints));
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (known[i]) {
      tokens.push_back(*known[i]);
      continue;
    }
    MLOPS_ASSIGN(auto added, waiting_.add(context, entries.subspan(i, 1)));
    tokens.push_back(std::move(added.front()));
  }
  return tokens;
}

Result<std::optional<mask::VaultEntry>> StoreVault::entry_of(std::string_view context, std::string_view token) {
  std::lock_guard lock(mutex_);
  MLOPS_ASSIGN(auto waiting, waiting_.entry_of(context, token));
  if (waiting) return waiting;
  MLOPS_ASSIGN(auto row, store_.read<std::optional<meta::VaultRow>>([&](sql::Connection& connection) {
    return meta::find_vault_row(connection, context, token);
  }));
  if (!row) return std::optional<mask::VaultEntry>();
  mask::VaultEntry entry{{}, row->token, row->key_id, std::move(row->sealed)};
  if (row->fingerprint.size() != entry.fingerprint.size()) {
    return fail(ErrorCode::kCorrupt, "vault_damaged", "a row of the token vault is damaged", "restore a backup");
  }
  std::copy(row->fingerprint.begin(), row->fingerprint.end(), entry.fingerprint.begin());
  return std::optional(std::move(entry));
}

Result<std::string> StoreVault::erased_by(std::string_view context, std::string_view token) {
  return store_.read<std::string>(
      [&](sql::Connection& connection) { return meta::vault_erasure_of(connection, context, token); });
}

Status StoreVault::flush() {
  std::lock_guard one_at_a_time(flushing_);
  std::vector<meta::VaultRow> rows;
  {
    std::lock_guard lock(mutex_);
    waiting_.for_each([&](const std::string& context, const mask::VaultEntry& entry) {
      rows.push_back(
          {context, entry.token, {entry.fingerprint.begin(), entry.fingerprint.end()}, entry.key_id, entry.sealed});
    });
  }
  if (rows.empty()) return {};
  const auto written = store_.write<bool>(daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto lost, destroyed_keys(tx.sql()));
    const auto is_lost = [&](const meta::VaultRow& row) { return lost.contains(row.key_id); };
    const auto kept = static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), std::not_fn(is_lost)));
    tx.begin_entry("vault.grow", "token vault", fmt::format("{} tokens", kept));
    for (const auto& row : rows) {
      if (!is_lost(row)) MLOPS_TRY(meta::insert_vault_row(tx, row));
    }
    return true;
  });
  if (!written) return fail(written.error());
  // Until now they were in both places; a look in between found them in one of them at least.
  std::lock_guard lock(mutex_);
  for (const auto& row : rows) waiting_.remove(row.context, row.token);
  return {};
}

}  // namespace mlops::domain
