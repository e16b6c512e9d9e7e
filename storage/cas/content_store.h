// The content store: files in, verified and durable; files out by digest. How bytes lie on disk is its own business.
//
// Errors: kInvalid "digest_mismatch" (nothing is kept), kNotFound "blob_not_found", kCorrupt "blob_damaged", and those
// of the blob store. Thread-safety: thread-safe; an Upload belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "storage/blob/blob_store.h"

namespace mlops::cas {

struct Stored {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

class ContentStore;

// One file on its way in. Dropping it keeps nothing.
class Upload {
 public:
  Status append(ByteView bytes);
  // Durable when this returns. With `expected`, other bytes are refused and discarded.
  Result<Stored> finish(const std::optional<crypto::Digest>& expected = std::nullopt);

 private:
  friend class ContentStore;
  Upload(ContentStore& store, std::unique_ptr<blob::BlobWriter> writer);
  ContentStore& store_;
  std::unique_ptr<blob::BlobWriter> writer_;
  crypto::Hasher hasher_;
  std::uint64_t size_bytes_ = 0;
};

struct Problem {
  std::string object;   // digest
  std::string problem;  // "missing", "size 3 instead of 5", "content does not match its digest"
};

class ContentStore {
 public:
  explicit ContentStore(std::unique_ptr<blob::BlobStore> blobs);

  Result<Upload> start_upload();
  Result<Stored> put(std::string_view bytes);  // small ones
  // True when a whole, undamaged blob of that size is here.
  bool has(const crypto::Digest& digest, std::uint64_t size_bytes) const;
  Result<std::unique_ptr<blob::BlobReader>> open(const crypto::Digest& digest) const;
  // A small blob, verified. Errors: kExhausted "blob_too_large".
  Result<std::string> read(const crypto::Digest& digest, std::size_t limit_bytes) const;
  // Reads the whole blob and compares; kCorrupt "blob_damaged" also marks it, so nothing deduplicates against it.
  Status verify(const crypto::Digest& digest, std::uint64_t size_bytes);

  struct Totals {
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  Result<Totals> totals() const;
  // Every blob on disk whose content does not match its name.
  Result<std::vector<Problem>> scrub();

 private:
  friend class Upload;
  void forget_damage(const crypto::Digest& digest);

  std::unique_ptr<blob::BlobStore> blobs_;
  mutable std::mutex mutex_;
  std::set<crypto::Digest> damaged_;
};

}  // namespace mlops::cas
