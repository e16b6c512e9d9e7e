// AES-256 of single blocks: a keyed permutation of 16 bytes, for short checks of fixed-length strings. Not a way to
// encrypt anything longer. Errors: kInvalid "bad_key_size"; kInternal "cipher_failed".
// Thread-safety: one thread at a time an object. Ownership: the key schedule is zeroed when the last copy goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

inline constexpr std::size_t kAesBlockBytes = 16;

class AesBlocks {
 public:
  // REQUIRES: a key of 32 bytes.
  static Result<AesBlocks> create(ByteView key);

  // Each block in its place. REQUIRES: whole blocks.
  Status encrypt(std::span<std::uint8_t> blocks) const;

 private:
  explicit AesBlocks(std::shared_ptr<void> context) : context_(std::move(context)) {}
  std::shared_ptr<void> context_;  // of OpenSSL; keyed once, because that costs more than a block
};

}  // namespace mlops::crypto
