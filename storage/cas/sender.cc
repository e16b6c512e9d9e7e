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

Status Sender::load_next() {
  const auto& item = items_[next_++];
  RecordHead head{item.type, Encoding::kRaw, 0, 0, item.digest};
  payload_ = {};
  if (item.type == RecordType::kChunk) {
    MLOPS_ASSIGN(const auto object, store_->packs().read({ObjectKind::kChunk, item.digest}, frame_));
    if (!object || object->entry.stored_bytes != item.stored_bytes) {
      return fail(ErrorCode::kUnavailable, "store_changed", "a chunk was moved while it was sent", "pull again");
    }
    head.encoding = object->entry.encoding;
    head.raw_bytes = object->entry.raw_bytes;
    head.stored_bytes = object->entry.stored_bytes;
    payload_ = object->payload;
  }
  head_ = record_head_bytes(head);
  head_sent_ = 0;
  payload_sent_ = 0;
  return {};
}

Result<std::size_t> Sender::read(std::span<std::uint8_t> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (head_sent_ == head_.size() && payload_sent_ == payload_.size()) {
      if (next_ == items_.size()) break;
      MLOPS_TRY(load_next());
    }
    const bool in_head = head_sent_ < head_.size();
    const ByteView rest = in_head ? ByteView(head_).subspan(head_sent_) : payload_.subspan(payload_sent_);
    const auto take = std::min(rest.size(), into.size() - done);
    std::copy_n(rest.begin(), take, into.begin() + static_cast<std::ptrdiff_t>(done));
    (in_head ? head_sent_ : payload_sent_) += take;
    done += take;
  }
  return done;
}

}  // namespace mlops::cas
