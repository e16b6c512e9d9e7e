// Keys of pseudonyms: one per dataset and column, so that equal values of two tables cannot be joined.
// Thread-safety: free function.
#pragma once

#include <string_view>

#include "core/crypto/seal.h"

namespace mlops::mask {

// HMAC-SHA-256(master, "mlops/mask-key/v1" NUL context). `context` names dataset and column; the master key does not
// follow from what is derived. REQUIRES: `master` has at least 32 bytes of entropy.
crypto::SecretBytes derive_key(ByteView master, std::string_view context);

}  // namespace mlops::mask
