// Blobs as the streams the policy engine reads and writes. A source hashes what it hands out, so that a damaged blob is
// noticed before anything derived from it is kept. Thread-safety: one thread.
#pragma once

#include "core/model/manifest.h"
#include "policies/data/stream.h"
#include "storage/cas/content_store.h"

namespace mlops::domain {

class BlobSource : public data::Source {
 public:
  BlobSource(const blob::BlobReader& reader, const model::FileEntry& file) : reader_(reader), file_(file) {}
  Result<std::size_t> read(std::span<char> into) override;
  // kCorrupt "blob_damaged" unless exactly the file's bytes were read. REQUIRES: read to the end; called once.
  Status check_digest();

 private:
  const blob::BlobReader& reader_;
  const model::FileEntry& file_;
  crypto::Hasher hasher_;
  std::uint64_t offset_ = 0;
};

class UploadSink : public data::Sink {
 public:
  explicit UploadSink(cas::Upload& upload) : upload_(upload) {}
  Status write(std::string_view bytes) override { return upload_.append(as_bytes(bytes)); }

 private:
  cas::Upload& upload_;
};

}  // namespace mlops::domain
