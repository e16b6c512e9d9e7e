// SHA-256 identity: a validated 32-byte value type and a streaming hasher. One of the two OpenSSL EVP rooms outside
// TLS. Thread-safety: Digest is a value; a Hasher belongs to one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

// The only way from digest text to a path or a query goes through this type, so no client string reaches an opener.
class Digest {
 public:
  Digest() = default;
  explicit Digest(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}

  // "sha256:" + 64 lower-case hex digits, nothing else. Errors: kInvalid "bad_digest".
  static Result<Digest> parse(std::string_view text);
  // 64 lower-case hex digits.
  static Result<Digest> parse_hex(std::string_view text);

  std::string to_string() const;  // with "sha256:"
  std::string hex() const;
  ByteView bytes() const { return bytes_; }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(ByteView bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  // REQUIRES: called once, nothing after it.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest sha256(ByteView bytes);
inline Digest sha256(std::string_view text) {
  return sha256(as_bytes(text));
}

}  // namespace mlops::crypto
