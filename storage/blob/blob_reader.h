// A file's bytes by position, wherever they lie. Errors: those of the store that opened it. Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.h"

namespace mlops::blob {

class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Bytes read at `offset`, fewer than asked only at the end.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;
};

}  // namespace mlops::blob
