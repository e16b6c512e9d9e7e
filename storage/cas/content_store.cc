#include "storage/cas/content_store.h"

#include <fmt/format.h>

#include "core/crypto/digest_batch.h"
#include "storage/cas/little_endian.h"

namespace mlops::cas {
namespace {

// Deeper than any recipe that can be written; a damaged or hostile one ends here.
constexpr unsigned kDepthMax = 16;

Failure blob_not_found(const crypto::Digest& digest) {
  return fail(ErrorCode::kNotFound, "blob_not_found", fmt::format("the store has no blob {}", digest.to_string()));
}

Failure blob_damaged(const crypto::Digest& digest, std::string_view problem) {
  return fail(ErrorCode::kCorrupt, "blob_damaged",
              fmt::format("the blob {} is damaged: {}", digest.to_string(), problem),
              "push the artifact again from its source to heal it, or restore a backup");
}

std::uint64_t short_digest(const crypto::Digest& digest) {
  return load_le<std::uint64_t>(digest.bytes().data());
}

// Reads on through a blob's chunks, keeping the one that it is in.
class ChunkedReader : public blob::BlobReader {
 public:
  ChunkedReader(ContentStore& store, const crypto::Digest& digest, std::uint64_t size_bytes)
      : store_(store), digest_(digest), size_bytes_(size_bytes) {}

  std::uint64_t size_bytes() const override { return size_bytes_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    std::size_t done = 0;
    while (done < into.size() && offset + done < size_bytes_) {
      MLOPS_TRY(load(offset + done));
      const auto skip = static_cast<std::size_t>(offset + done - chunk_begin_);
      const auto take = std::min(into.size() - done, raw_.size() - skip);
      std::copy_n(raw_.begin() + static_cast<std::ptrdiff_t>(skip), take,
                  into.begin() + static_cast<std::ptrdiff_t>(done));
      done += take;
    }
    return done;
  }

 private:
  static constexpr std::size_t kRefs = 1024;

  Status load(std::uint64_t offset) const {
    if (!raw_.empty() && offset >= chunk_begin_ && offset < chunk_begin_ + raw_.size()) return {};
    const auto is_listed = [&] {
      return next_ < refs_.size() && refs_[next_].offset <= offset &&
             offset < refs_[next_].offset + refs_[next_].size_bytes;
    };
    if (!is_listed()) {
      MLOPS_ASSIGN(refs_, store_.chunks_of(digest_, offset, size_bytes_, kRefs));
      next_ = 0;
      if (!is_listed()) return blob_damaged(digest_, "its recipe has a hole");
    }
    const auto& ref = refs_[next_++];
    auto loaded = store_.read_chunk(ref.digest, raw_);
    if (loaded && raw_.size() != ref.size_bytes) loaded = blob_damaged(digest_, "a chunk has another size");
    if (!loaded) raw_.clear();  // not those of the chunk before any more
    chunk_begin_ = ref.offset;
    return loaded;
  }

  ContentStore& store_;
  const crypto::Digest digest_;
  const std::uint64_t size_bytes_;
  mutable std::vector<ChunkRef> refs_;
  mutable std::size_t next_ = 0;
  mutable std::vector<std::uint8_t> raw_;
  mutable std::uint64_t chunk_begin_ = 0;
};

}  // namespace

ContentStore::ContentStore(std::unique_ptr<PackStore> packs, ContentStoreOptions options, const Clock& clock)
    : packs_(std::move(packs)), leases_(clock, options.lease_us) {}

Result<std::unique_ptr<ContentStore>> ContentStore::open(ContentStoreOptions options, Env& env, const Clock& clock) {
  MLOPS_ASSIGN(auto packs, PackStore::open(options.packs, env, clock));
  return std::unique_ptr<ContentStore>(new ContentStore(std::move(packs), std::move(options), clock));
}

bool ContentStore::node_is_whole(const crypto::Digest& digest, OwnerTag viewer, unsigned depth) const {
  std::vector<std::uint8_t> buffer;
  const auto object = packs_->read({ObjectKind::kNode, digest}, buffer, viewer);
  if (!object || !*object || depth > kDepthMax) return false;
  const auto node = parse_node((*object)->payload);
  if (!node) return false;
  for (const auto& entry : node->entries) {
    const bool is_here = node->level == 0 ? packs_->find({ObjectKind::kChunk, entry.digest}, viewer).has_value()
                                          : node_is_whole(entry.digest, viewer, depth + 1);
    if (!is_here) return false;
  }
  return true;
}

bool ContentStore::is_whole(const crypto::Digest& root, OwnerTag viewer) const {
  const auto generation = packs_->generation();
  const auto key = short_digest(root) ^ viewer;
  {
    std::lock_guard lock(mutex_);
    const auto found = whole_.find(key);
    if (found != whole_.end() && found->second == generation) return true;
  }
  if (!node_is_whole(root, viewer, 0)) return false;
  constexpr std::size_t kRemembered = 1u << 16;
  std::lock_guard lock(mutex_);
  if (whole_.size() >= kRemembered) whole_.clear();
  whole_[key] = generation;
  return true;
}

std::optional<std::uint64_t> ContentStore::size_of(const crypto::Digest& blob, OwnerTag viewer) const {
  if (const auto chunk = packs_->find({ObjectKind::kChunk, blob}, viewer)) return chunk->raw_bytes;
  std::vector<std::uint8_t> buffer;
  const auto object = packs_->read({ObjectKind::kBlob, blob}, buffer, viewer);
  if (!object || !*object) return {};
  const auto record = parse_blob_record((*object)->payload);
  if (!record || !is_whole(record->root, viewer)) return {};
  return record->size_bytes;
}

bool ContentStore::has(const crypto::Digest& digest, std::uint64_t size_bytes, OwnerTag viewer) const {
  const auto size = size_of(digest, viewer);
  return size && *size == size_bytes;
}

bool ContentStore::has_object(const ObjectKey& key, OwnerTag viewer) {
  const bool is_here =
      key.kind == ObjectKind::kNode ? is_whole(key.digest, viewer) : packs_->find(key, viewer).has_value();
  if (is_here) leases_.renew(key);
  return is_here;
}

void ContentStore::lease(const crypto::Digest& blob) {
  leases_.renew({ObjectKind::kChunk, blob});
  leases_.renew({ObjectKind::kBlob, blob});
}

Result<std::optional<BlobRecord>> ContentStore::blob_record(const crypto::Digest& blob, OwnerTag viewer) {
  std::vector<std::uint8_t> buffer;
  MLOPS_ASSIGN(const auto object, packs_->read({ObjectKind::kBlob, blob}, buffer, viewer));
  if (!object) return std::optional<BlobRecord>();
  MLOPS_ASSIGN(auto record, parse_blob_record(object->payload));
  return std::optional<BlobRecord>(record);
}

std::optional<crypto::Digest> ContentStore::blob_of_root(const crypto::Digest& root, OwnerTag viewer) {
  std::vector<std::uint8_t> buffer;
  const auto object = packs_->read({ObjectKind::kRoot, root}, buffer, viewer);
  if (!object || !*object || !is_whole(root, viewer)) return {};
  auto blob = parse_root_record((*object)->payload);
  if (!blob || !packs_->find({ObjectKind::kBlob, *blob}, viewer)) return {};
  return *blob;
}

Result<Node> ContentStore::read_node(const crypto::Digest& digest, OwnerTag viewer) {
  std::vector<std::uint8_t> buffer;
  MLOPS_ASSIGN(const auto object, packs_->read({ObjectKind::kNode, digest}, buffer, viewer));
  if (!object) return blob_damaged(digest, "a part of its recipe is missing");
  return parse_node(object->payload);
}

Status ContentStore::read_chunk(const crypto::Digest& digest, std::vector<std::uint8_t>& raw, OwnerTag viewer) {
  return decode_chunk(digest, viewer, [&](std::size_t size) {
    raw.resize(size);
    return std::optional(std::span(raw));
  });
}

Status ContentStore::read_chunk_to(const crypto::Digest& digest, std::span<std::uint8_t> raw, OwnerTag viewer) {
  return decode_chunk(digest, viewer,
                      [&](std::size_t size) { return size == raw.size() ? std::optional(raw) : std::nullopt; });
}

Status ContentStore::decode_chunk(const crypto::Digest& digest, OwnerTag viewer, const RoomFor& room_for) {
  thread_local std::vector<std::uint8_t> buffer;
  thread_local Decoder decoder;
  const ObjectKey key{ObjectKind::kChunk, digest};
  MLOPS_ASSIGN(const auto object, packs_->read(key, buffer, viewer));
  if (!object) return blob_damaged(digest, "a chunk is missing");
  const auto raw = room_for(object->entry.raw_bytes);
  if (!raw) return blob_damaged(digest, "a chunk has another size");
  auto decoded = decoder.decode(object->entry.encoding, object->payload, *raw);
  if (!decoded) packs_->quarantine(key);
  return decoded;
}

Failure ContentStore::absent(const crypto::Digest& blob) const {
  const bool was_here = packs_->is_damaged({ObjectKind::kChunk, blob}) || packs_->is_damaged({ObjectKind::kBlob, blob});
  return was_here ? blob_damaged(blob, "its bytes changed on disk") : blob_not_found(blob);
}

Result<std::vector<ChunkRef>> ContentStore::chunks_of(const crypto::Digest& blob, std::uint64_t begin,
                                                      std::uint64_t end, std::size_t limit) {
  std::vector<ChunkRef> out;
  if (const auto chunk = packs_->find({ObjectKind::kChunk, blob})) {
    if ((begin == 0 || begin < chunk->raw_bytes) && limit > 0) out.push_back({blob, chunk->raw_bytes, 0});
    return out;
  }
  MLOPS_ASSIGN(const auto record, blob_record(blob));
  if (!record) return absent(blob);
  const std::function<Status(const crypto::Digest&, std::uint64_t, unsigned)> walk =
      [&](const crypto::Digest& digest, std::uint64_t offset, unsigned depth) -> Status {
    if (depth > kDepthMax) return blob_damaged(blob, "its recipe is too deep");
    MLOPS_ASSIGN(const auto node, read_node(digest));
    for (const auto& entry : node.entries) {
      if (offset >= end || out.size() >= limit) return {};
      if (offset + entry.size_bytes > begin) {
        if (node.level > 0) {
          MLOPS_TRY(walk(entry.digest, offset, depth + 1));
        } else {
          out.push_back({entry.digest, entry.size_bytes, offset});
        }
      }
      offset += entry.size_bytes;
    }
    return {};
  };
  MLOPS_TRY(walk(record->root, 0, 0));
  return out;
}

Result<std::unique_ptr<blob::BlobReader>> ContentStore::open_blob(const crypto::Digest& digest) {
  const auto size = size_of(digest);
  if (size) return std::unique_ptr<blob::BlobReader>(std::make_unique<ChunkedReader>(*this, digest, *size));
  MLOPS_ASSIGN(const auto record, blob_record(digest));
  if (record) return blob_damaged(digest, "a part of it is missing or damaged");
  return absent(digest);
}

Result<std::string> ContentStore::read(const crypto::Digest& digest, std::size_t limit_bytes) {
  MLOPS_ASSIGN(const auto reader, open_blob(digest));
  if (reader->size_bytes() > limit_bytes) {
    return fail(ErrorCode::kExhausted, "blob_too_large",
                fmt::format("the blob {} has {} bytes, more than the {} that fit here", digest.to_string(),
                            reader->size_bytes(), limit_bytes));
  }
  std::string bytes(reader->size_bytes(), '\0');
  MLOPS_ASSIGN(const auto got, reader->read_at(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));
  if (got != bytes.size() || crypto::sha256(bytes) != digest) {
    return blob_damaged(digest, "content does not match its digest");
  }
  return bytes;
}

Status ContentStore::verify(const crypto::Digest& digest, std::uint64_t size_bytes) {
  crypto::StreamHasher whole;
  std::vector<std::uint8_t> raw;
  std::uint64_t offset = 0;
  bool has_moved = true;
  do {
    const auto before = offset;
    constexpr std::size_t kRefs = 1024;
    MLOPS_ASSIGN(const auto refs, chunks_of(digest, offset, size_bytes + 1, kRefs));
    for (const auto& ref : refs) {
      MLOPS_TRY(read_chunk(ref.digest, raw));
      if (whole.update_and_digest(raw) != ref.digest) {
        packs_->quarantine({ObjectKind::kChunk, ref.digest});
        return blob_damaged(digest, "content does not match its digest");
      }
      offset = ref.offset + ref.size_bytes;
    }
    has_moved = offset > before;
  } while (has_moved && offset < size_bytes);
  if (offset != size_bytes) return blob_damaged(digest, fmt::format("size {} instead of {}", offset, size_bytes));
  if (whole.finish() == digest) return {};
  packs_->quarantine({ObjectKind::kBlob, digest});
  return blob_damaged(digest, "its chunks make up other bytes");
}

ContentStore::Totals ContentStore::totals() const {
  Totals totals;
  for (const auto& info : packs_->packs()) {
    ++totals.packs;
    totals.stored_bytes += info.size_bytes;
    for (const auto& [entry, state] : packs_->entries_of(info.slot)) {
      if (state != EntryState::kLive) continue;
      ++totals.objects;
      if (entry.key.kind == ObjectKind::kChunk) totals.raw_bytes += entry.raw_bytes;
    }
  }
  return totals;
}

}  // namespace mlops::cas
