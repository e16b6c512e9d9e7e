// Tokens of the vault under another version of their key, in the transaction of the caller.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/domain/key_ring.h"
#include "policies/mask/reseal.h"
#include "storage/meta/vault.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kPage = 1000;

Status reseal_row(meta::WriteTx& tx, mask::Resealer& resealer, const meta::VaultRow& row) {
  mask::VaultEntry entry{{}, row.token, row.key_id, row.sealed};
  MLOPS_ASSIGN(const auto fresh, resealer.reseal(row.context, entry));
  meta::VaultRow changed{row.context, row.token, row.fingerprint, fresh.key_id, fresh.sealed};
  // Two runs around a rotation may have given a value a token each. The older one is then only led back from: nobody
  // finds it by its value any more.
  MLOPS_ASSIGN(const auto other, meta::find_vault_token(tx.sql(), row.context, fresh.fingerprint));
  if (!other) changed.fingerprint.assign(fresh.fingerprint.begin(), fresh.fingerprint.end());
  return meta::update_vault_row(tx, changed);
}

}  // namespace

Result<std::int64_t> reseal_tokens(meta::WriteTx& tx, const mask::NamedKey& from, const mask::NamedKey& to) {
  MLOPS_ASSIGN(const auto count, meta::vault_rows_under(tx.sql(), from.id));
  if (count == 0) return count;
  tx.begin_entry("vault.reseal", "token vault", fmt::format("{} tokens of {} under {}", count, from.id, to.id));
  mask::Resealer resealer(from, to);
  meta::VaultPlace after;
  while (true) {
    MLOPS_ASSIGN(const auto rows, meta::vault_rows_of(tx.sql(), from.id, after, kPage));
    for (const auto& row : rows) MLOPS_TRY(reseal_row(tx, resealer, row));
    if (rows.size() < kPage) return count;
    after = {rows.back().context, rows.back().token};
  }
}

}  // namespace mlops::domain
