// Who may do what: principals and bearer tokens.
//
// A token is "mlo_" + 30 random base62 characters (178 bits) + 6 of a CRC-32 that lets scanners and clients spot typos
// offline. Only its HMAC under the server's token key is stored. All live tokens are held in memory, so a revocation
// takes effect with the next request. Errors: kUnauthenticated "no_token", "bad_token", "token_expired",
// "token_revoked"; kInvalid for bad names, roles, scopes. Thread-safety: thread-safe.
#pragma once

#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/crypto/seal.h"
#include "core/model/principal.h"
#include "storage/meta/identity.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct NewToken {
  std::string principal;
  bool is_human = true;
  model::Role role = model::Role::kViewer;
  std::vector<model::Scope> scopes;  // empty: those of the role; otherwise a subset of them
  model::Sensitivity clearance = model::Sensitivity::kChild;
  std::string name;  // empty: the principal's name and role
  std::int64_t expires_in_s = 0;
};

struct IssuedToken {
  meta::TokenRow row;
  std::string secret;  // shown once
};

struct IdentityOptions {
  crypto::SecretBytes token_key;
  std::int64_t max_lifetime_s = 365 * 24 * 3600;
};

class Identity {
 public:
  static Result<std::unique_ptr<Identity>> open(meta::Store& store, IdentityOptions options);

  // `authorization` is the header's value. Constant work for unknown tokens.
  Result<model::Principal> authenticate(std::string_view authorization) const;

  Result<IssuedToken> create_token(const meta::Actor& actor, const NewToken& wanted, meta::Commit commit);
  // By id, or by a name that one live token has. Revoking twice is success.
  Result<meta::TokenRow> revoke_token(const meta::Actor& actor, const std::string& id_or_name);
  std::vector<meta::TokenRow> tokens() const;  // oldest first
  // Whether a request with that token would be answered now; for what goes on long after its head.
  bool is_live(const std::string& token_id) const;
  // True when no token was ever made: the first start.
  bool is_fresh() const;

 private:
  Identity(meta::Store& store, IdentityOptions options) : store_(store), options_(std::move(options)) {}
  std::string mac_of(std::string_view secret) const;
  void remember(const meta::TokenRow& row);

  meta::Store& store_;
  const IdentityOptions options_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, meta::TokenRow> by_mac_;
};

// The principal of changes that the daemon makes by itself (first start).
meta::Actor daemon_actor();

}  // namespace mlops::domain
