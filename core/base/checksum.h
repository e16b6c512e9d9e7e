// XXH3, 64 bits: tells that bytes are damaged, at memory speed. Against accident only: whoever can choose the bytes can
// choose the checksum too, so identity is SHA-256 (core/crypto/digest.h). The only user of xxhash.h.
//
// The value is part of formats on disk: XXH3_64bits_withSeed of xxHash 0.8 and later, whose output is frozen.
// Thread-safety: the function is pure; a Checksum64 belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/bytes.h"

namespace mlops {

std::uint64_t xxh3_64(ByteView bytes, std::uint64_t seed = 0);

// The same value for bytes that come in pieces, however they are cut.
class Checksum64 {
 public:
  explicit Checksum64(std::uint64_t seed = 0);
  ~Checksum64();
  Checksum64(Checksum64&&) noexcept;
  Checksum64& operator=(Checksum64&&) noexcept;

  void update(ByteView bytes);
  // Of all bytes so far; more may follow.
  std::uint64_t finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlops
