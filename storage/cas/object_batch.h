// Objects on their way into packs, gathered so that one append carries many. What is here already (as far as the owner
// may know) is not written again but leased. Thread-safety: one thread. Ownership: payloads are copied.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/cas/content_store.h"

namespace mlops::cas {

class ObjectBatch {
 public:
  ObjectBatch(ContentStore& store, OwnerTag owner) : store_(store), owner_(owner) {}

  // True when the object is in the store or in this batch; then it is leased.
  bool is_known(const ObjectKey& key);
  Status add(const ObjectKey& key, Encoding encoding, std::uint32_t raw_bytes, ByteView payload);
  // A node, blob or root record, unless known.
  Status add_record(const ObjectKey& key, std::string_view payload);
  // The records that make a root node the file `digest`.
  Status add_file(const crypto::Digest& root, const Stored& file);
  Status flush();
  std::uint64_t new_bytes() const { return new_bytes_; }
  std::uint64_t new_objects() const { return new_objects_; }

 private:
  struct Waiting {
    ObjectKey key;
    Encoding encoding;
    std::uint32_t raw_bytes;
    std::size_t begin;
    std::size_t size;
  };

  ContentStore& store_;
  const OwnerTag owner_;
  std::vector<std::uint8_t> payloads_;
  std::vector<Waiting> waiting_;
  std::set<ObjectKey> keys_;
  std::uint64_t new_bytes_ = 0;  // of payloads
  std::uint64_t new_objects_ = 0;
};

}  // namespace mlops::cas
