// The content store: files in, verified and durable; files out by digest. How bytes lie on disk is its own business:
// chunks in packs (pack_store.h), a tree of nodes over a file's chunks (recipe.h).
//
// Errors: kInvalid "digest_mismatch" (nothing is kept), kNotFound "blob_not_found", kCorrupt "blob_damaged" (never
// served, never deduplicated against; sending the bytes again heals), and those of the pack store. Thread-safety:
// thread-safe; an Upload or reader belongs to one thread. Units: bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "storage/blob/blob_reader.h"
#include "storage/cas/codec.h"
#include "storage/cas/leases.h"
#include "storage/cas/pack_store.h"
#include "storage/cas/recipe.h"

namespace mlops::cas {

struct Stored {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

class FileAssembly;

// A chunk of a file, hashed, and how it is to be stored; the bytes are borrowed.
struct EncodedChunk {
  crypto::Digest digest;
  std::size_t raw_bytes = 0;
  Encoded encoded;
};

// One file on its way in, as plain bytes. Dropping it keeps no file.
class Upload {
 public:
  Upload(Upload&&) noexcept;
  ~Upload();
  Status append(ByteView bytes);
  // The file's next chunks, cut by cut_chunk, their digests proved. REQUIRES: no append(); finish_as() at the end.
  Status add_chunks(std::span<const EncodedChunk> chunks);
  // What came so far is made durable for the next try; no file of it.
  Status keep();
  // Stored for the file so far.
  std::uint64_t new_bytes() const;
  // Durable when this returns. With `expected`, other bytes are refused.
  Result<Stored> finish(const std::optional<crypto::Digest>& expected = std::nullopt);
  // After add_chunks(): `file` is the SHA-256 of all of them.
  Result<Stored> finish_as(const crypto::Digest& file, const std::optional<crypto::Digest>& expected = std::nullopt);

 private:
  friend class ContentStore;
  class Impl;
  explicit Upload(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Problem {
  std::string object;   // digest, or a pack and a position
  std::string problem;  // "missing", "size 3 instead of 5", "content does not match its digest"
};

// One chunk of a file and where it begins.
struct ChunkRef {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t offset = 0;
};

struct ContentStoreOptions {
  PackStoreOptions packs;
  std::int64_t lease_us = 24ll * 3600 * 1'000'000;
};

class ContentStore {
 public:
  static Result<std::unique_ptr<ContentStore>> open(ContentStoreOptions options, Env& env, const Clock& clock);

  Result<Upload> start_upload(OwnerTag owner = kEveryone);
  Result<Stored> put(std::string_view bytes);  // small ones
  // True when a whole, undamaged blob of that size is here and `viewer` may be told of it.
  bool has(const crypto::Digest& digest, std::uint64_t size_bytes, OwnerTag viewer = kEveryone) const;
  // Chunks and nodes: true when it and everything below it is here. What is told is leased.
  bool has_object(const ObjectKey& key, OwnerTag viewer);
  // A blob of any size; its size comes back.
  std::optional<std::uint64_t> size_of(const crypto::Digest& blob, OwnerTag viewer = kEveryone) const;
  void lease(const crypto::Digest& blob);

  Result<std::unique_ptr<blob::BlobReader>> open_blob(const crypto::Digest& digest);
  // The chunks that overlap [begin, end), in order, at most `limit`.
  Result<std::vector<ChunkRef>> chunks_of(const crypto::Digest& blob, std::uint64_t begin, std::uint64_t end,
                                          std::size_t limit);
  // A small blob, verified. Errors: kExhausted "blob_too_large".
  Result<std::string> read(const crypto::Digest& digest, std::size_t limit_bytes);
  // Reads the whole blob and compares; a chunk that differs is set aside.
  Status verify(const crypto::Digest& digest, std::uint64_t size_bytes);
  // One chunk's bytes, decoded, its SHA-256 not compared again (the frame's checksum was).
  Status read_chunk(const crypto::Digest& digest, std::vector<std::uint8_t>& raw, OwnerTag viewer = kEveryone);
  // The same of one that should fill `raw`. Errors: also kCorrupt "blob_damaged" when it has another size.
  Status read_chunk_to(const crypto::Digest& digest, std::span<std::uint8_t> raw, OwnerTag viewer = kEveryone);
  Result<Node> read_node(const crypto::Digest& digest, OwnerTag viewer = kEveryone);
  Result<std::optional<BlobRecord>> blob_record(const crypto::Digest& blob, OwnerTag viewer = kEveryone);
  // The blob that a root node makes up, when it is known.
  std::optional<crypto::Digest> blob_of_root(const crypto::Digest& root, OwnerTag viewer);

  struct Totals {
    std::uint64_t packs = 0;
    std::uint64_t objects = 0;
    std::uint64_t raw_bytes = 0;     // of the chunks, as they are outside
    std::uint64_t stored_bytes = 0;  // of the packs
  };
  Totals totals() const;

  PackStore& packs() { return *packs_; }
  Leases& leases() { return leases_; }

 private:
  ContentStore(std::unique_ptr<PackStore> packs, ContentStoreOptions options, const Clock& clock);
  Failure absent(const crypto::Digest& blob) const;
  // Where so many bytes go; nullopt: nowhere.
  using RoomFor = std::function<std::optional<std::span<std::uint8_t>>(std::size_t)>;
  Status decode_chunk(const crypto::Digest& digest, OwnerTag viewer, const RoomFor& room_for);
  bool is_whole(const crypto::Digest& root, OwnerTag viewer) const;
  bool node_is_whole(const crypto::Digest& node, OwnerTag viewer, unsigned depth) const;

  std::unique_ptr<PackStore> packs_;
  Leases leases_;
  // Roots found whole, and the generation of the packs as of then.
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::uint64_t, std::uint64_t> whole_;
};

}  // namespace mlops::cas
