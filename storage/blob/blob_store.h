// Whole immutable blobs by SHA-256: the seam under the content store (local now; S3 and memory by filed work).
//
// A blob becomes visible only when publish() has made it durable; a writer that is dropped leaves nothing.
// Errors: those of Env; kNotFound "blob_not_found". Thread-safety: a BlobStore is thread-safe, writers and readers
// belong to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace mlops::blob {

class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Status append(ByteView bytes) = 0;
  // Makes the bytes durable under `digest`. REQUIRES: `digest` is that of everything appended. An existing blob is
  // replaced, which heals a damaged one.
  virtual Status publish(const crypto::Digest& digest) = 0;
};

class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size_bytes() const = 0;
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Result<std::unique_ptr<BlobWriter>> create() = 0;
  virtual Result<std::unique_ptr<BlobReader>> open(const crypto::Digest& digest) const = 0;
  // Size, or kNotFound.
  virtual Result<std::uint64_t> size_bytes(const crypto::Digest& digest) const = 0;
  virtual Status remove(const crypto::Digest& digest) = 0;
  // Every blob, in any order; the callback's error stops the walk.
  virtual Status for_each(const std::function<Status(const crypto::Digest&, std::uint64_t size_bytes)>& visit) const = 0;
};

}  // namespace mlops::blob
