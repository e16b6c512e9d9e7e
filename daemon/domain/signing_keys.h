// The public halves of people's signing keys: whose they are, from when to when they count.
//
// A key is proved twice: the private half signs who it is for, so that nobody registers a key of somebody else; and
// whoever has had a key before signs with a live one, so that a stolen token alone makes no new signer. An
// administrator may register the first key, and another one after a loss. Errors: kInvalid "bad_public_key",
// "bad_proof"; kConflict "signing_key_taken"; kDenied "proof_needed", "not_your_key"; kNotFound. Thread-safety:
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "storage/meta/change_control.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct NewSigningKey {
  std::string principal;          // empty: the caller; another one: by an administrator of tokens
  std::string name;               // "laptop"
  std::string public_key;         // as core/crypto/sign.h parse_public_key reads it
  std::int64_t expires_in_s = 0;  // 0: never
  std::string possession;         // base64: the new key over model::key_statement; an administrator may go without
  std::string signed_by;          // id of a live key of the same principal
  std::string proof;              // base64: that key over model::key_statement
};

class SigningKeys {
 public:
  explicit SigningKeys(meta::Store& store) : store_(store) {}

  Result<meta::SigningKeyRow> add(const meta::Actor& actor, const NewSigningKey& wanted, meta::Commit commit);
  Result<meta::SigningKeyRow> revoke(const meta::Actor& actor, const std::string& id, const std::string& reason,
                                     meta::Commit commit);
  Result<std::vector<meta::SigningKeyRow>> list();

 private:
  meta::Store& store_;
};

}  // namespace mlops::domain
