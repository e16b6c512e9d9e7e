// Plain bytes in: cut, hashed, encoded and appended while they arrive.
#include <fmt/format.h>

#include <set>

#include "core/crypto/digest_batch.h"
#include "storage/cas/chunker.h"
#include "storage/cas/content_store.h"
#include "storage/cas/object_batch.h"

namespace mlops::cas {
namespace {

constexpr std::size_t kGatherBytes = 1u << 20;

Failure upload_failed() {
  return fail(ErrorCode::kUnavailable, "upload_failed", "an upload cannot go on after a part of it was refused",
              "send the file again");
}

}  // namespace

class Upload::Impl {
 public:
  Impl(ContentStore& store, OwnerTag owner)
      : store_(store),
        owner_(owner),
        batch_(store, owner),
        generation_(store.packs().generation()),
        recipe_([this](const Node&, const crypto::Digest& digest, const std::string& bytes) {
          return batch_.add_record({ObjectKind::kNode, digest}, bytes);
        }) {}

  Status append(ByteView bytes) {
    while (!bytes.empty()) {
      const auto take = std::min(bytes.size(), kGatherBytes - gathered_.size());
      gathered_.insert(gathered_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(take));
      bytes = bytes.subspan(take);
      if (gathered_.size() == kGatherBytes) MLOPS_TRY(take_chunks(kChunkMaxBytes));
    }
    return {};
  }

  // Chunks go to the pack from where they are.
  Status add_chunks(std::span<const EncodedChunk> chunks) {
    is_hashed_outside_ = true;
    std::vector<NewObject> objects;
    std::set<ObjectKey> keys;
    for (const auto& chunk : chunks) {
      const ObjectKey key{ObjectKind::kChunk, chunk.digest};
      MLOPS_TRY(count(key, chunk.raw_bytes));
      if (batch_.is_known(key) || !keys.insert(key).second) continue;
      objects.push_back(
          {key, chunk.encoded.encoding, static_cast<std::uint32_t>(chunk.raw_bytes), chunk.encoded.bytes});
    }
    MLOPS_TRY(store_.packs().append(objects, owner_));
    for (const auto& object : objects) appended_bytes_ += object.payload.size();
    return {};
  }

  Status keep() { return store_.packs().sync(); }
  std::uint64_t new_bytes() const { return appended_bytes_ + batch_.new_bytes(); }

  Result<Stored> finish(const std::optional<crypto::Digest>& expected) {
    if (is_hashed_outside_) return upload_failed();
    MLOPS_TRY(take_chunks(1));
    if (chunks_ == 0) MLOPS_TRY(take_chunk({}));  // an empty file is one empty chunk
    return finish_as(whole_.finish(), expected);
  }

  Result<Stored> finish_as(const crypto::Digest& file, const std::optional<crypto::Digest>& expected) {
    const Stored stored{file, recipe_.size_bytes()};
    if (expected && *expected != stored.digest) {
      return fail(ErrorCode::kInvalid, "digest_mismatch",
                  fmt::format("the bytes received have the digest {}, not {}", stored.digest.to_string(),
                              expected->to_string()),
                  "the file changed while it was sent, or the transfer was damaged; send it again");
    }
    if (chunks_ > 1) {
      MLOPS_ASSIGN(const auto root, recipe_.finish());
      MLOPS_TRY(batch_.add_file(root, stored));
    }
    MLOPS_TRY(batch_.flush());
    MLOPS_TRY(store_.packs().sync());
    store_.lease(stored.digest);
    // Something it is made of may have been set aside meanwhile.
    if (store_.packs().generation() != generation_ && !store_.has(stored.digest, stored.size_bytes)) {
      return fail(ErrorCode::kUnavailable, "store_changed", "stored bytes were lost while the file was received",
                  "send it again");
    }
    return stored;
  }

 private:
  // Cuts while at least `at_least` bytes are gathered: fewer than the largest chunk only at the end of the file.
  Status take_chunks(std::size_t at_least) {
    std::size_t begin = 0;
    while (gathered_.size() - begin >= at_least) {
      const auto rest = ByteView(gathered_).subspan(begin);
      const auto size = cut_chunk(rest);
      MLOPS_TRY(take_chunk(rest.first(size)));
      begin += size;
    }
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(begin));
    return {};
  }

  Status count(const ObjectKey& key, std::size_t size_bytes) {
    ++chunks_;
    return recipe_.add({key.digest, size_bytes});
  }

  Status take_chunk(ByteView chunk) {
    const ObjectKey key{ObjectKind::kChunk, whole_.update_and_digest(chunk)};
    MLOPS_TRY(count(key, chunk.size()));
    if (batch_.is_known(key)) return {};
    const auto encoded = encoder_.encode(chunk);
    return batch_.add(key, encoded.encoding, static_cast<std::uint32_t>(chunk.size()), encoded.bytes);
  }

  ContentStore& store_;
  const OwnerTag owner_;
  ObjectBatch batch_;
  std::uint64_t appended_bytes_ = 0;  // not by batch_
  const std::uint64_t generation_;
  RecipeBuilder recipe_;
  crypto::StreamHasher whole_;
  Encoder encoder_;
  std::vector<std::uint8_t> gathered_;
  std::uint64_t chunks_ = 0;
  bool is_hashed_outside_ = false;
};

Upload::Upload(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Upload::Upload(Upload&&) noexcept = default;
Upload::~Upload() = default;

Status Upload::append(ByteView bytes) {
  if (!impl_) return upload_failed();
  auto appended = impl_->append(bytes);
  if (!appended) impl_.reset();  // what was lost of it cannot be made up for
  return appended;
}

Status Upload::add_chunks(std::span<const EncodedChunk> chunks) {
  if (!impl_) return upload_failed();
  auto added = impl_->add_chunks(chunks);
  if (!added) impl_.reset();
  return added;
}

Status Upload::keep() {
  return impl_ ? impl_->keep() : upload_failed();
}

std::uint64_t Upload::new_bytes() const {
  return impl_ ? impl_->new_bytes() : 0;
}

Result<Stored> Upload::finish(const std::optional<crypto::Digest>& expected) {
  if (!impl_) return upload_failed();
  return impl_->finish(expected);
}

Result<Stored> Upload::finish_as(const crypto::Digest& file, const std::optional<crypto::Digest>& expected) {
  if (!impl_) return upload_failed();
  return impl_->finish_as(file, expected);
}

Result<Upload> ContentStore::start_upload(OwnerTag owner) {
  MLOPS_TRY(packs_->check_space());
  return Upload(std::make_unique<Upload::Impl>(*this, owner));
}

Result<Stored> ContentStore::put(std::string_view bytes) {
  MLOPS_ASSIGN(auto upload, start_upload());
  MLOPS_TRY(upload.append(as_bytes(bytes)));
  return upload.finish();
}

}  // namespace mlops::cas
