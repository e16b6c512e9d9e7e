#include "daemon/domain/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/names.h"
#include "daemon/domain/token_text.h"

namespace mlops::domain {
namespace {

Failure unauthenticated(std::string slug, std::string message) {
  return fail(ErrorCode::kUnauthenticated, std::move(slug), std::move(message),
              "ask an administrator for `mlopsctl token create`, then `mlopsctl login --token-stdin`");
}

Status check_wish(const NewToken& wanted, std::int64_t max_lifetime_s) {
  MLOPS_TRY(model::check_principal_name(wanted.principal));
  if (!wanted.name.empty()) MLOPS_TRY(model::check_key(wanted.name, "token name"));
  if (wanted.expires_in_s < 1 || wanted.expires_in_s > max_lifetime_s) {
    return fail(ErrorCode::kInvalid, "bad_expiry",
                fmt::format("a token lives from 1 second to {} days", max_lifetime_s / 86400), "give --expires 90d");
  }
  const auto& allowed = model::scopes_of(wanted.role);
  for (const auto scope : wanted.scopes) {
    if (std::find(allowed.begin(), allowed.end(), scope) == allowed.end()) {
      return fail(ErrorCode::kInvalid, "scope_outside_role",
                  fmt::format("the role {} does not have the scope {}", to_word(wanted.role), to_word(scope)));
    }
  }
  return {};
}

}  // namespace

meta::Actor daemon_actor() {
  meta::Actor actor;
  actor.principal.id = "mlopsd";
  actor.principal.name = "mlopsd";
  actor.principal.is_human = false;
  return actor;
}

Result<std::unique_ptr<Identity>> Identity::open(meta::Store& store, IdentityOptions options) {
  std::unique_ptr<Identity> identity(new Identity(store, std::move(options)));
  MLOPS_ASSIGN(const auto rows, store.read<std::vector<meta::TokenRow>>(
                                    [](sql::Connection& connection) { return meta::list_tokens(connection); }));
  for (const auto& row : rows) identity->remember(row);
  return identity;
}

std::string Identity::mac_of(std::string_view secret) const {
  return to_hex(crypto::hmac_sha256(options_.token_key.view(), secret));
}

void Identity::remember(const meta::TokenRow& row) {
  std::unique_lock lock(mutex_);
  auto& known = by_mac_[row.mac];
  // A token may be revoked between its commit and this call: what is revoked stays revoked.
  if (!known.revoked_at_us) known = row;
}

bool Identity::is_fresh() const {
  std::shared_lock lock(mutex_);
  return by_mac_.empty();
}

Result<model::Principal> Identity::authenticate(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.empty()) return unauthenticated("no_token", "this needs a token and none was sent");
  if (authorization.size() <= kScheme.size() || to_lower_ascii(authorization.substr(0, kScheme.size())) != kScheme) {
    return unauthenticated("bad_token", "the Authorization header is not \"Bearer <token>\"");
  }
  const auto mac = mac_of(trim(authorization.substr(kScheme.size())));
  std::shared_lock lock(mutex_);
  // The map is keyed by the HMAC, which a guesser cannot aim at: no timing tells how near a guess was.
  const auto it = by_mac_.find(mac);
  if (it == by_mac_.end()) return unauthenticated("bad_token", "the token is not valid here");
  const auto& token = it->second;
  if (token.revoked_at_us) return unauthenticated("token_revoked", "the token was revoked");
  if (token.expires_at_us <= store_.now_us()) {
    return unauthenticated("token_expired",
                           fmt::format("the token expired at {}", format_rfc3339(token.expires_at_us)));
  }
  model::Principal principal;
  principal.id = token.principal.id;
  principal.name = token.principal.name;
  principal.is_human = token.principal.is_human;
  principal.roles = {token.role};
  principal.scopes = token.scopes;
  principal.token_id = token.id;
  principal.clearance = token.clearance;
  return principal;
}

Result<IssuedToken> Identity::create_token(const meta::Actor& actor, const NewToken& wanted, meta::Commit commit) {
  MLOPS_TRY(check_wish(wanted, options_.max_lifetime_s));
  MLOPS_ASSIGN(const auto secret, new_token_secret());
  auto issued = store_.write<IssuedToken>(actor, commit, [&](meta::WriteTx& tx) -> Result<IssuedToken> {
    tx.begin_entry("token.create", wanted.principal,
                   fmt::format("role {}, clearance {}", to_word(wanted.role), to_word(wanted.clearance)));
    MLOPS_ASSIGN(auto principal, meta::find_principal(tx.sql(), wanted.principal));
    if (principal && principal->is_human != wanted.is_human) {
      return fail(ErrorCode::kConflict, "principal_kind",
                  fmt::format("\"{}\" is already a {}", wanted.principal, principal->is_human ? "person" : "service"),
                  "choose another name for the other kind");
    }
    if (!principal) {
      principal = meta::PrincipalRow{tx.new_id(), wanted.principal, wanted.is_human};
      MLOPS_TRY(meta::insert_principal(tx, *principal));
    }
    meta::TokenRow row;
    row.id = tx.new_id();
    row.principal = *principal;
    row.name = wanted.name.empty() ? fmt::format("{}-{}", wanted.principal, to_word(wanted.role)) : wanted.name;
    row.mac = mac_of(secret);
    row.role = wanted.role;
    row.scopes = wanted.scopes.empty() ? model::scopes_of(wanted.role) : wanted.scopes;
    row.clearance = wanted.clearance;
    row.created_at_us = tx.now_us();
    row.expires_at_us = tx.now_us() + wanted.expires_in_s * 1'000'000;
    MLOPS_TRY(meta::insert_token(tx, row));
    return IssuedToken{row, secret};
  });
  if (issued && commit == meta::Commit::kKeep) remember(issued->row);
  return issued;
}

Result<meta::TokenRow> Identity::revoke_token(const meta::Actor& actor, const std::string& id_or_name) {
  auto revoked =
      store_.write<meta::TokenRow>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<meta::TokenRow> {
        MLOPS_ASSIGN(auto row, meta::find_token(tx.sql(), id_or_name));
        if (row.revoked_at_us) return row;
        tx.begin_entry("token.revoke", row.principal.name, row.name);
        MLOPS_TRY(meta::revoke_token(tx, row.id));
        row.revoked_at_us = tx.now_us();
        return row;
      });
  if (revoked) remember(*revoked);
  return revoked;
}

bool Identity::is_live(const std::string& token_id) const {
  const auto now_us = store_.now_us();
  std::shared_lock lock(mutex_);
  return std::any_of(by_mac_.begin(), by_mac_.end(), [&](const auto& known) {
    return known.second.id == token_id && !known.second.revoked_at_us && known.second.expires_at_us > now_us;
  });
}

std::vector<meta::TokenRow> Identity::tokens() const {
  std::vector<meta::TokenRow> rows;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [mac, row] : by_mac_) rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return rows;
}

}  // namespace mlops::domain
