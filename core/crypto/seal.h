// Keyed primitives: HMAC-SHA-256, random bytes, constant-time compare, key material that is zeroed when it goes.
// Thread-safety: free functions; a SecretBytes is a value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  ~SecretBytes() { wipe(); }
  SecretBytes(const SecretBytes&) = default;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(const SecretBytes& other);
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ByteView view() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  void wipe();
  std::vector<std::uint8_t> bytes_;
};

using Mac = std::array<std::uint8_t, 32>;

Mac hmac_sha256(ByteView key, ByteView message);
inline Mac hmac_sha256(ByteView key, std::string_view message) { return hmac_sha256(key, as_bytes(message)); }
bool constant_time_equal(ByteView a, ByteView b);
// Errors: kInternal "no_randomness".
Result<std::vector<std::uint8_t>> random_bytes(std::size_t count);

}  // namespace mlops::crypto
