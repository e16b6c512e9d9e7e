#include "daemon/domain/signing_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/crypto/sign.h"
#include "core/model/names.h"
#include "core/model/plan.h"
#include "storage/meta/identity.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

Result<meta::PrincipalRow> owner_of(sql::Connection& connection, const model::Principal& who,
                                    const std::string& wanted) {
  if (wanted.empty() || wanted == who.name) return meta::PrincipalRow{who.id, who.name, who.is_human};
  if (!who.has(model::Scope::kTokenAdmin)) {
    return fail(ErrorCode::kDenied, "not_your_key", fmt::format("{} may only register keys of their own", who.name),
                "an administrator of tokens registers keys of others");
  }
  MLOPS_ASSIGN(auto found, meta::find_principal(connection, wanted));
  if (found) return std::move(*found);
  return fail(ErrorCode::kNotFound, "principal_not_found",
              fmt::format("there is nobody called \"{}\"", printable(wanted)),
              "`mlopsctl token list` shows who has a token");
}

Failure bad_proof(std::string_view what) {
  return fail(ErrorCode::kInvalid, "bad_proof", fmt::format("{} does not prove this key", what),
              "run `mlopsctl key add` where the private keys are");
}

// The earlier key vouches for the new one, or an administrator does.
Status check_proof(const model::Principal& who, const meta::PrincipalRow& owner,
                   const std::vector<meta::SigningKeyRow>& earlier, const NewSigningKey& wanted,
                   const std::string& statement, TimestampUs now_us) {
  if (earlier.empty() || owner.id != who.id) return {};
  const auto vouching =
      std::find_if(earlier.begin(), earlier.end(), [&](const auto& key) { return key.id == wanted.signed_by; });
  if (vouching == earlier.end() || !vouching->is_live(now_us)) {
    return fail(ErrorCode::kDenied, "proof_needed",
                fmt::format("{} has had a signing key before, and a new one must be signed with it", who.name),
                "run `mlopsctl key add` where the live key is; after a loss an administrator registers the new one: "
                "mlopsctl key add --for NAME --public-key FILE");
  }
  if (!crypto::verify_signature(vouching->public_key, statement, wanted.proof))
    return bad_proof("the signature of the key before");
  return {};
}

}  // namespace

Result<meta::SigningKeyRow> SigningKeys::add(const meta::Actor& actor, const NewSigningKey& wanted,
                                             meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(wanted.name, "name"));
  MLOPS_ASSIGN(const auto public_key, crypto::parse_public_key(wanted.public_key));
  MLOPS_ASSIGN(const auto id, crypto::key_id_of(public_key));
  const auto& who = actor.principal;
  return store_.write<meta::SigningKeyRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SigningKeyRow> {
    MLOPS_ASSIGN(const auto owner, owner_of(tx.sql(), who, wanted.principal));
    if (!owner.is_human) {
      return fail(ErrorCode::kDenied, "not_a_person",
                  fmt::format("{} is a service; only people sign approvals", owner.name));
    }
    if (meta::get_signing_key(tx.sql(), id)) {
      return fail(ErrorCode::kConflict, "signing_key_taken", fmt::format("the key {} is registered already", id),
                  "`mlopsctl key signers` shows whose it is");
    }
    const auto statement = model::key_statement(owner.name, id);
    const bool is_own = owner.id == who.id;
    if (is_own && !crypto::verify_signature(public_key, statement, wanted.possession))
      return bad_proof("its own signature");
    MLOPS_ASSIGN(const auto earlier, meta::list_signing_keys(tx.sql(), owner.id));
    MLOPS_TRY(check_proof(who, owner, earlier, wanted, statement, tx.now_us()));
    meta::SigningKeyRow row;
    row.id = id;
    row.principal_id = owner.id;
    row.name = wanted.name;
    row.public_key = public_key;
    if (wanted.expires_in_s > 0) row.expires_at_us = tx.now_us() + wanted.expires_in_s * kMicros;
    tx.begin_entry("signing_key.add", fmt::format("{} of {}", id, owner.name));
    MLOPS_TRY(meta::insert_signing_key(tx, row));
    return meta::get_signing_key(tx.sql(), id);
  });
}

Result<meta::SigningKeyRow> SigningKeys::revoke(const meta::Actor& actor, const std::string& id,
                                                const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  const auto& who = actor.principal;
  return store_.write<meta::SigningKeyRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SigningKeyRow> {
    MLOPS_ASSIGN(const auto row, meta::get_signing_key(tx.sql(), id));
    if (row.principal_id != who.id && !who.has(model::Scope::kTokenAdmin)) {
      return fail(ErrorCode::kDenied, "not_your_key", fmt::format("the key {} is one of {}", id, row.principal_name),
                  "its owner or an administrator of tokens revokes it");
    }
    if (row.revoked_at_us) return row;
    tx.begin_entry("signing_key.revoke", fmt::format("{} of {}", id, row.principal_name), reason);
    MLOPS_TRY(meta::revoke_signing_key(tx, id, reason));
    return meta::get_signing_key(tx.sql(), id);
  });
}

Result<std::vector<meta::SigningKeyRow>> SigningKeys::list() {
  return store_.read<std::vector<meta::SigningKeyRow>>(
      [](sql::Connection& connection) { return meta::list_signing_keys(connection); });
}

}  // namespace mlops::domain
