#include "storage/cas/sender.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlops::cas {

Result<Sender> Sender::prepare(ContentStore& store, std::span<const Want> wants) {
  Sender sender(store);
  for (const auto& want : wants) MLOPS_TRY(sender.add(want));
  return sender;
}

Status Sender::add(const Want& want) {
  MLOPS_ASSIGN(const auto chunks, store_->chunks_of(want.digest, want.begin, want.end, kSendChunksMax));
  if (items_.size() + chunks.size() > kSendChunksMax) {
    return fail(ErrorCode::kExhausted, "too_many_chunks",
                fmt::format("more than {} chunks in one answer", kSendChunksMax), "ask for smaller pieces");
  }
  for (const auto& chunk : chunks) {
    const auto entry = store_->packs().find({ObjectKind::kChunk, chunk.digest});
    if (!entry) {
      return fail(ErrorCode::kCorrupt, "blob_damaged",
                  fmt::format("the blob {} is damaged: a chunk is missing or damaged", want.digest.to_string()),
                  "push the artifact again from its source to heal it, or restore a backup");
    }
    items_.push_back({RecordType::kChunk, entry->stored_bytes, chunk.digest});
    size_bytes_ += kRecordHeadBytes + entry->stored_bytes;
  }
  items_.push_back({RecordType::kEnd, 0, want.digest});
  size_bytes_ += kRecordHeadBytes;
  return {};
}

std::size_t Sender::record_bytes(const Item& item) const {
  return kRecordHeadBytes + item.stored_bytes;
}

Status Sender::load_next(std::span<std::uint8_t> into) {
  const auto& item = items_[next_++];
  RecordHead head{item.type, Encoding::kRaw, 0, 0, item.digest};
  if (item.type == RecordType::kChunk) {
    const auto room = into.subspan(kRecordHeadBytes, item.stored_bytes);
    MLOPS_ASSIGN(const auto object, store_->packs().read_to({ObjectKind::kChunk, item.digest}, room));
    if (!object || object->entry.stored_bytes != item.stored_bytes) {
      return fail(ErrorCode::kUnavailable, "store_changed", "a chunk was moved while it was sent", "pull again");
    }
    head.encoding = object->entry.encoding;
    head.raw_bytes = object->entry.raw_bytes;
    head.stored_bytes = object->entry.stored_bytes;
  }
  const auto bytes = record_head_bytes(head);
  std::copy(bytes.begin(), bytes.end(), into.begin());
  return {};
}

Result<std::size_t> Sender::read(std::span<std::uint8_t> into) {
  std::size_t done = 0;
  // A record goes from the disk to where it is sent from.
  while (!is_in_record() && next_ < items_.size()) {
    const auto size = record_bytes(items_[next_]);
    if (size > into.size() - done) break;
    MLOPS_TRY(load_next(into.subspan(done, size)));
    done += size;
  }
  if (done > 0 || into.empty()) return done;
  if (!is_in_record()) {
    if (next_ == items_.size()) return 0;
    record_.resize(record_bytes(items_[next_]));
    record_sent_ = 0;
    MLOPS_TRY(load_next(record_));
  }
  const auto take = std::min(record_.size() - record_sent_, into.size());
  std::copy_n(record_.begin() + static_cast<std::ptrdiff_t>(record_sent_), take, into.begin());
  record_sent_ += take;
  return take;
}

}  // namespace mlops::cas
