#include "storage/cas/ingest_hasher.h"

#include <fmt/format.h>

namespace mlops::cas {
namespace {

using Kind = IngestPiece::Kind;

// Of small files that are decoded and hashed together.
constexpr std::size_t kGroupBytes = 256u << 10;

Status must_equal(const crypto::Digest& actual, const crypto::Digest& expected) {
  if (actual == expected) return {};
  return fail(ErrorCode::kInvalid, "digest_mismatch",
              fmt::format("the bytes received have the digest {}, not {}", actual.to_string(), expected.to_string()),
              "the file changed while it was sent, or the transfer was damaged; send it again");
}

}  // namespace

Status IngestHasher::take(const IngestBatch& batch) {
  objects_.clear();
  keys_.clear();
  payloads_.clear();
  MLOPS_TRY(prove_single_chunks(batch));
  for (std::size_t i = 0; i < batch.pieces.size(); ++i) MLOPS_TRY(take_piece(batch, i));
  return store_.packs().append(objects_, owner_);
}

// Small files side by side: their chunks need no running hash.
Status IngestHasher::prove_single_chunks(const IngestBatch& batch) {
  const auto& pieces = batch.pieces;
  proved_.assign(pieces.size(), false);
  std::vector<std::size_t> group;
  std::size_t group_bytes = 0;
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    if (pieces[i].kind != Kind::kNewChunk || pieces[i + 1].kind != Kind::kEnd || !pieces[i + 1].is_single) continue;
    group.push_back(i);
    group_bytes += pieces[i].raw_bytes;
    if (group_bytes < kGroupBytes) continue;
    MLOPS_TRY(prove(batch, group));
    group.clear();
    group_bytes = 0;
  }
  return prove(batch, group);
}

Status IngestHasher::prove(const IngestBatch& batch, std::span<const std::size_t> pieces) {
  std::size_t total = 0;
  for (const auto i : pieces) total += batch.pieces[i].raw_bytes;
  if (scratch_.size() < total) scratch_.resize(total);
  std::vector<ByteView> views;
  std::size_t begin = 0;
  for (const auto i : pieces) {
    MLOPS_ASSIGN(const auto raw, decode(batch, batch.pieces[i], begin));
    views.push_back(raw);
    begin += raw.size();
  }
  std::vector<crypto::Digest> digests(views.size());
  crypto::sha256_batch(views, digests);
  for (std::size_t n = 0; n < pieces.size(); ++n) {
    MLOPS_TRY(must_equal(digests[n], batch.pieces[pieces[n]].key.digest));
    proved_[pieces[n]] = true;
  }
  return {};
}

// The chunk itself, in scratch_ unless it is stored as it is.
Result<ByteView> IngestHasher::decode(const IngestBatch& batch, const IngestPiece& piece, std::size_t scratch_begin) {
  const auto stored = batch.bytes_of(piece);
  if (piece.encoding == Encoding::kRaw) return stored;
  if (scratch_.size() < scratch_begin + piece.raw_bytes) scratch_.resize(scratch_begin + piece.raw_bytes);
  const auto raw = std::span(scratch_).subspan(scratch_begin, piece.raw_bytes);
  if (decoder_.decode(piece.encoding, stored, raw)) return ByteView(raw);
  return fail(ErrorCode::kInvalid, "bad_record", "the stream of chunks is not well formed: a chunk cannot be decoded",
              "is this mlopsctl of the server's version? see docs/format/push.md");
}

Status IngestHasher::take_piece(const IngestBatch& batch, std::size_t index) {
  const auto& piece = batch.pieces[index];
  switch (piece.kind) {
    case Kind::kNewChunk:
      if (!proved_[index]) {
        if (!whole_) whole_.emplace();
        MLOPS_ASSIGN(const auto raw, decode(batch, piece, 0));
        MLOPS_TRY(must_equal(whole_->update_and_digest(raw), piece.key.digest));
      }
      add_object(piece.key, piece.encoding, piece.raw_bytes, batch.bytes_of(piece));
      return {};
    case Kind::kKnownChunk:
      if (!whole_) whole_.emplace();
      whole_->update(batch.bytes_of(piece));
      return {};
    case Kind::kRecord:
      add_object(piece.key, Encoding::kRaw, piece.raw_bytes, batch.bytes_of(piece));
      return {};
    case Kind::kEnd:
    case Kind::kEndKnown:
      return end_file(piece);
  }
  return {};
}

Status IngestHasher::end_file(const IngestPiece& piece) {
  Stored file{piece.key.digest, piece.size_bytes};
  if (piece.kind == Kind::kEnd && !piece.is_single) {
    file.digest = whole_->finish();
    if (piece.is_named) MLOPS_TRY(must_equal(file.digest, piece.key.digest));
    add_record({ObjectKind::kBlob, file.digest}, blob_record_bytes({file.size_bytes, piece.root}));
    const auto digest = file.digest.bytes();
    add_record({ObjectKind::kRoot, piece.root}, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  whole_.reset();
  ++received_.file_count;
  all_files_.push_back(file);
  if (!piece.is_named) received_.files.push_back(file);
  return {};
}

// What is here already, as far as the owner may know, is not written again.
void IngestHasher::add_object(const ObjectKey& key, Encoding encoding, std::uint32_t raw_bytes, ByteView payload) {
  if (store_.packs().find(key, owner_)) {
    store_.leases().renew(key);
    return;
  }
  if (!keys_.insert(key).second) return;
  objects_.push_back({key, encoding, raw_bytes, payload});
  if (key.kind == ObjectKind::kChunk) ++received_.new_chunks;
  received_.new_bytes += payload.size();
}

void IngestHasher::add_record(const ObjectKey& key, std::string payload) {
  payloads_.push_back(std::move(payload));
  const auto& kept = payloads_.back();
  add_object(key, Encoding::kRaw, static_cast<std::uint32_t>(kept.size()), as_bytes(kept));
}

}  // namespace mlops::cas
