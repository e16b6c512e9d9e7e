// Signing what a person decides: finding their private key, showing what is signed, signing it.
//
// The private key is a PEM file of mode 0600, signing/<name>.pem beside the contexts, or what --signing-key names.
// Errors: kInvalid "bad_private_key", "key_file_exposed"; kCorrupt "plan_digest_differs" when the server's plan does
// not hash to its digest. Thread-safety: as the session.
#pragma once

#include <optional>
#include <string>

#include "cli/session.h"
#include "core/crypto/sign.h"

namespace mlops::cli {

struct Signer {
  crypto::SigningKey key;
  std::string id;          // "ed25519:…"
  std::string public_key;  // base64
};

// Where the private key of that principal is kept; "" without a place for files.
std::string signing_key_file(const Session& session, const std::string& principal);
Result<Signer> read_signer(const std::string& file);
// By --signing-key (a file, or "none"), or the file of who the token belongs to when there is one.
Result<std::optional<Signer>> find_signer(Session& session);

// The body of an approval or rejection with key and signature, after having said what is signed.
// `decision`: approve, reject.
Result<Json> sign_decision(Session& session, const Signer& signer, const std::string& decision, Json body);

// The option every signing verb has.
Option signing_key_option();

}  // namespace mlops::cli
