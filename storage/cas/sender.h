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
  // Fills `into` with whole records, or with a part of one where none fits; 0: the end. Errors end the stream.
  Result<std::size_t> read(std::span<std::uint8_t> into);

 private:
  struct Item {
    RecordType type = RecordType::kEnd;
    std::uint32_t stored_bytes = 0;
    crypto::Digest digest;
  };
  explicit Sender(ContentStore& store) : store_(&store) {}
  Status add(const Want& want);
  bool is_in_record() const { return record_sent_ < record_.size(); }
  std::size_t record_bytes(const Item& item) const;
  // The next record, to where it is wanted.
  Status load_next(std::span<std::uint8_t> into);

  ContentStore* store_;
  std::vector<Item> items_;
  std::uint64_t size_bytes_ = 0;
  std::size_t next_ = 0;
  std::vector<std::uint8_t> record_;  // that is sent in parts
  std::size_t record_sent_ = 0;
};

}  // namespace mlops::cas
