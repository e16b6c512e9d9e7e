// The hashing side of an ingest: proves every new chunk by its digest, hashes each long file along, and only then
// appends. Private to the ingest. Thread-safety: one thread. Errors: kInvalid "digest_mismatch", "bad_record"; those of
// the pack store.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "core/crypto/digest_batch.h"
#include "storage/cas/codec.h"
#include "storage/cas/ingest.h"
#include "storage/cas/ingest_batch.h"

namespace mlops::cas {

class IngestHasher {
 public:
  IngestHasher(ContentStore& store, OwnerTag owner) : store_(store), owner_(owner) {}
  Status take(const IngestBatch& batch);
  const Received& received() const { return received_; }
  // Every file, for a look back when the store has lost objects meanwhile.
  const std::vector<Stored>& all_files() const { return all_files_; }

 private:
  Status prove_single_chunks(const IngestBatch& batch);
  Status prove(const IngestBatch& batch, std::span<const std::size_t> pieces);
  Result<ByteView> decode(const IngestBatch& batch, const IngestPiece& piece, std::size_t scratch_begin);
  Status take_piece(const IngestBatch& batch, std::size_t index);
  Status end_file(const IngestPiece& piece);
  void add_object(const ObjectKey& key, Encoding encoding, std::uint32_t raw_bytes, ByteView payload);
  void add_record(const ObjectKey& key, std::string payload);

  ContentStore& store_;
  const OwnerTag owner_;
  Decoder decoder_;
  RawBytes scratch_;                           // decoded chunks; small enough to stay in the processor's cache
  std::optional<crypto::StreamHasher> whole_;  // of the long file being received
  std::vector<bool> proved_;                   // by piece of the batch
  std::vector<NewObject> objects_;             // of the batch
  std::set<ObjectKey> keys_;                   // of objects_
  std::deque<std::string> payloads_;           // that objects_ refer to
  Received received_;
  std::vector<Stored> all_files_;
};

}  // namespace mlops::cas
