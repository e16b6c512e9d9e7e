// Keyed primitives: HMAC-SHA-256, random bytes, constant-time compare, and key material in memory of its own: locked,
// left out of core dumps, zeroed when it goes.
// Thread-safety: free functions; a SecretBytes is a value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::crypto {

class SecretBytes {
 public:
  SecretBytes() = default;
  // Takes the bytes and zeroes the vector they came in.
  explicit SecretBytes(std::vector<std::uint8_t> bytes);
  // A copy; who owns `bytes` zeroes them.
  static SecretBytes copy_of(ByteView bytes);
  ~SecretBytes() { wipe(); }
  SecretBytes(const SecretBytes& other) { assign(other.view()); }
  SecretBytes(SecretBytes&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  SecretBytes& operator=(const SecretBytes& other);
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ByteView view() const { return {bytes_, size_bytes_}; }
  bool empty() const { return size_bytes_ == 0; }

 private:
  // REQUIRES: empty.
  void assign(ByteView bytes);
  void wipe();
  std::uint8_t* bytes_ = nullptr;
  std::size_t size_bytes_ = 0;
};

// No core dump of this process, and no debugger of its own user: for a process that holds keys.
void keep_out_of_core_dumps();

// Overwrites, in a way no compiler leaves out.
void wipe(std::vector<std::uint8_t>& bytes);
void wipe(std::string& text);

using Mac = std::array<std::uint8_t, 32>;

Mac hmac_sha256(ByteView key, ByteView message);
inline Mac hmac_sha256(ByteView key, std::string_view message) {
  return hmac_sha256(key, as_bytes(message));
}
bool constant_time_equal(ByteView a, ByteView b);
// Errors: kInternal "no_randomness".
Result<std::vector<std::uint8_t>> random_bytes(std::size_t count);

}  // namespace mlops::crypto
