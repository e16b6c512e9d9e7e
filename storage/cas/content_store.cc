#include "storage/cas/content_store.h"

#include <fmt/format.h>

namespace mlops::cas {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;

Failure damaged(const crypto::Digest& digest, const std::string& problem) {
  return fail(ErrorCode::kCorrupt, "blob_damaged", fmt::format("the blob {} is damaged: {}", digest.to_string(), problem),
              "register the artifact again from its source to heal it, or restore a backup");
}

Result<crypto::Digest> hash_all(const blob::BlobReader& reader) {
  crypto::Hasher hasher;
  std::vector<std::uint8_t> buffer(kReadBytes);
  std::uint64_t offset = 0;
  while (true) {
    MLOPS_ASSIGN(const std::size_t count, reader.read_at(offset, buffer));
    if (count == 0) return hasher.finish();
    hasher.update(ByteView(buffer.data(), count));
    offset += count;
  }
}

}  // namespace

Upload::Upload(ContentStore& store, std::unique_ptr<blob::BlobWriter> writer)
    : store_(store), writer_(std::move(writer)) {}

Status Upload::append(ByteView bytes) {
  hasher_.update(bytes);
  size_bytes_ += bytes.size();
  return writer_->append(bytes);
}

Result<Stored> Upload::finish(const std::optional<crypto::Digest>& expected) {
  const auto digest = hasher_.finish();
  if (expected && *expected != digest) {
    return fail(ErrorCode::kInvalid, "digest_mismatch",
                fmt::format("the bytes received have the digest {}, not {}", digest.to_string(), expected->to_string()),
                "the file changed while it was sent, or the transfer was damaged; send it again");
  }
  MLOPS_TRY(writer_->publish(digest));
  store_.forget_damage(digest);
  return Stored{digest, size_bytes_};
}

ContentStore::ContentStore(std::unique_ptr<blob::BlobStore> blobs) : blobs_(std::move(blobs)) {}

Result<Upload> ContentStore::start_upload() {
  MLOPS_ASSIGN(auto writer, blobs_->create());
  return Upload(*this, std::move(writer));
}

Result<Stored> ContentStore::put(std::string_view bytes) {
  MLOPS_ASSIGN(auto upload, start_upload());
  MLOPS_TRY(upload.append(as_bytes(bytes)));
  return upload.finish();
}

bool ContentStore::has(const crypto::Digest& digest, std::uint64_t size_bytes) const {
  {
    std::lock_guard lock(mutex_);
    if (damaged_.contains(digest)) return false;
  }
  const auto size = blobs_->size_bytes(digest);
  return size && *size == size_bytes;
}

Result<std::unique_ptr<blob::BlobReader>> ContentStore::open(const crypto::Digest& digest) const {
  return blobs_->open(digest);
}

Result<std::string> ContentStore::read(const crypto::Digest& digest, std::size_t limit_bytes) const {
  MLOPS_ASSIGN(const auto reader, blobs_->open(digest));
  if (reader->size_bytes() > limit_bytes) {
    return fail(ErrorCode::kExhausted, "blob_too_large",
                fmt::format("the blob {} has {} bytes, more than the {} that fit here", digest.to_string(),
                            reader->size_bytes(), limit_bytes));
  }
  std::string bytes(reader->size_bytes(), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::span<std::uint8_t> rest(reinterpret_cast<std::uint8_t*>(bytes.data()) + done, bytes.size() - done);
    MLOPS_ASSIGN(const std::size_t count, reader->read_at(done, rest));
    if (count == 0) break;
    done += count;
  }
  if (done != bytes.size() || crypto::sha256(bytes) != digest) return damaged(digest, "content does not match its digest");
  return bytes;
}

Status ContentStore::verify(const crypto::Digest& digest, std::uint64_t size_bytes) {
  MLOPS_ASSIGN(const auto reader, blobs_->open(digest));
  std::string problem;
  if (reader->size_bytes() != size_bytes) {
    problem = fmt::format("size {} instead of {}", reader->size_bytes(), size_bytes);
  } else {
    MLOPS_ASSIGN(const auto actual, hash_all(*reader));
    if (actual != digest) problem = "content does not match its digest";
  }
  if (problem.empty()) return {};
  std::lock_guard lock(mutex_);
  damaged_.insert(digest);
  return damaged(digest, problem);
}

Result<ContentStore::Totals> ContentStore::totals() const {
  Totals totals;
  MLOPS_TRY(blobs_->for_each([&](const crypto::Digest&, std::uint64_t size_bytes) -> Status {
    ++totals.blobs;
    totals.bytes += size_bytes;
    return {};
  }));
  return totals;
}

Result<std::vector<Problem>> ContentStore::scrub() {
  std::vector<Problem> problems;
  MLOPS_TRY(blobs_->for_each([&](const crypto::Digest& digest, std::uint64_t size_bytes) -> Status {
    auto status = verify(digest, size_bytes);
    if (status) return {};
    if (status.error().code != ErrorCode::kCorrupt) return status;
    problems.push_back({digest.to_string(), "content does not match its digest"});
    return {};
  }));
  return problems;
}

void ContentStore::forget_damage(const crypto::Digest& digest) {
  std::lock_guard lock(mutex_);
  damaged_.erase(digest);
}

}  // namespace mlops::cas
