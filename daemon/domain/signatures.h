// Signatures over versions: taken from people and services whose key is registered, and shown with what they are worth.
//
// Errors: kInvalid "bad_signature"; kNotFound of the version, or "signing_key_not_found"; kConflict "signed_already".
// Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "core/model/evidence.h"
#include "core/model/version.h"
#include "storage/meta/evidence.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct SignRequest {
  std::string ref;
  std::string key_id;
  std::string signature;  // base64, over model::version_statement
};

struct ShownSignature {
  meta::SignatureRow row;
  std::string void_because;  // empty: it counts
};

struct SignedVersion {
  model::Version version;
  std::vector<ShownSignature> signatures;  // oldest first
};

class Signatures {
 public:
  explicit Signatures(meta::Store& store) : store_(store) {}

  Result<SignedVersion> sign(const meta::Actor& actor, const SignRequest& request, meta::Commit commit);
  Result<SignedVersion> show(const std::string& ref);

 private:
  meta::Store& store_;
};

// Of one version, each with what it is worth at `now_us`; shared with promotions.
Result<std::vector<ShownSignature>> shown_signatures(sql::Connection& connection, const model::Version& version,
                                                     TimestampUs now_us);

}  // namespace mlops::domain
