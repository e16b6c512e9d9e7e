// HMAC-SHA-256 (RFC 2104, FIPS 198-1) of many messages under one key: the two blocks of the key are hashed once, and
// the messages go through the lanes of the processor side by side. For the fields of a table, which fit into one block.
//
// Thread-safety: an HmacBatch is immutable. Ownership: views are borrowed for a call; the hashed key is zeroed when the
// object goes.
#pragma once

#include <span>
#include <string_view>

#include "core/crypto/digest_batch.h"
#include "core/crypto/seal.h"

namespace mlops::crypto {

class HmacBatch {
 public:
  explicit HmacBatch(ByteView key);
  // For tests and benchmarks. REQUIRES: the engine is one of sha256_engines().
  HmacBatch(ByteView key, Sha256Engine engine);

  Mac one(std::string_view message) const;
  // out[i] = HMAC(key, messages[i]), messages of any length. REQUIRES: equally many of both.
  void many(std::span<const std::string_view> messages, std::span<Mac> out) const;

 private:
  struct Group;
  void long_message(std::string_view message, Mac& out) const;

  const lanes::Kernel* few_;  // when its lanes would stay empty in wide_
  const lanes::Kernel* wide_;
  SecretBytes states_;  // after the inner and the outer block of the key
};

void hmac_sha256_batch(ByteView key, std::span<const std::string_view> messages, std::span<Mac> out);

}  // namespace mlops::crypto
