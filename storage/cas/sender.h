// The sending end of a pull: pieces of files as a stream of records (stream_format.h), chunks as they are stored. Each
// frame's checksum is compared before it is sent: a damaged chunk ends the stream instead.
//
// Errors: kNotFound "blob_not_found", kCorrupt "object_damaged", kExhausted "too_many_chunks". Thread-safety: one
// thread.
#pragma once

#include <span>
#include <vector>

#include "storage/cas/content_store.h"
#include "storage/cas/stream_format.h"

namespace mlops::cas {

inline constexpr std::size_t kSendChunksMax = 256u << 10;

class Sender {
 public:
  // Looks up everything that will be sent, so that the size is known.
  static Result<Sender> prepare(ContentStore& store, std::span<const Want> wants);

  std::uint64_t size_bytes() const { return size_bytes_; }
  // Fills `into`, wholly until the end. Errors end the stream.
  Result<std::size_t> read(std::span<std::uint8_t> into);

 private:
  struct Item {
    RecordType type = RecordType::kEnd;
    std::uint32_t stored_bytes = 0;
    crypto::Digest digest;
  };
  explicit Sender(ContentStore& store) : store_(&store) {}
  Status add(const Want& want);
  Status load_next();

  ContentStore* store_;
  std::vector<Item> items_;
  std::uint64_t size_bytes_ = 0;
  std::size_t next_ = 0;
  std::array<std::uint8_t, kRecordHeadBytes> head_{};
  std::vector<std::uint8_t> frame_;
  ByteView payload_;  // of frame_
  std::size_t head_sent_ = kRecordHeadBytes;
  std::size_t payload_sent_ = 0;
};

}  // namespace mlops::cas
