// FF1 of NIST SP 800-38G: encrypts a string of numerals into one of the same length and radix.
//
// Radix 2 … 62; a domain of fewer than 10^6 strings is refused (draft revision 1 of SP 800-38G: smaller ones can be
// searched through). Errors: kInvalid "bad_radix", "bad_key_size", "domain_too_small", "too_long", "bad_numeral".
// Thread-safety: an Ff1 belongs to one thread (it reuses its cipher context). Ownership: the AES key schedule is zeroed
// by OpenSSL when the object goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

inline constexpr unsigned kLargestFf1Radix = 62;
inline constexpr std::size_t kMostFf1Numerals = 512;
inline constexpr double kLeastFf1Domain = 1e6;

// Has radix^length at least 10^6 members?
bool ff1_domain_is_large(unsigned radix, std::size_t length);

class Ff1 {
 public:
  // REQUIRES: a key of 16, 24 or 32 bytes.
  static Result<Ff1> make(ByteView key, unsigned radix);
  ~Ff1();
  Ff1(Ff1&&) noexcept;
  Ff1& operator=(Ff1&&) noexcept;

  // Numerals from 0 to radix - 1.
  Result<std::vector<std::uint8_t>> encrypt(std::span<const std::uint8_t> numerals, ByteView tweak) const;
  Result<std::vector<std::uint8_t>> decrypt(std::span<const std::uint8_t> numerals, ByteView tweak) const;

 private:
  class Rounds;
  struct Cipher;
  Ff1(std::unique_ptr<Cipher> cipher, unsigned radix);
  Status check(std::span<const std::uint8_t> numerals) const;

  std::unique_ptr<Cipher> cipher_;
  unsigned radix_ = 0;
};

}  // namespace mlops::crypto
