// How a file is put together: a tree over its chunks in order. Where a node ends is decided by the digest of its last
// entry, so that an edit changes the nodes around it and no other; client and server build the same tree.
//
//   node = version u8 (1) | level u8 | count u16 | zero u32 | entry{count}     level 0: entries are chunks
//   entry = digest[32] | size u64                                               of the bytes below it
//   blob record = version u8 (1) | zero[7] | size u64 | root node digest[32]
//   root record = blob digest[32]
//
// A node ends after an entry whose digest's last byte has its six low bits zero, from kNodeMin entries on, at the
// latest after kNodeMax. Thread-safety: pure functions; a RecipeBuilder belongs to one thread. Errors: kCorrupt
// "node_damaged".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace mlops::cas {

inline constexpr std::size_t kNodeMin = 16;
inline constexpr std::size_t kNodeMax = 256;

struct RecipeEntry {
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

struct Node {
  unsigned level = 0;
  std::vector<RecipeEntry> entries;
  std::uint64_t size_bytes() const;
};

std::string node_bytes(const Node& node);
Result<Node> parse_node(ByteView bytes);
bool ends_node(const Node& node);

struct BlobRecord {
  std::uint64_t size_bytes = 0;
  crypto::Digest root;
};
std::string blob_record_bytes(const BlobRecord& record);
Result<BlobRecord> parse_blob_record(ByteView bytes);
Result<crypto::Digest> parse_root_record(ByteView bytes);

class RecipeBuilder {
 public:
  // Told every node when it is complete, those below before those above.
  using Emit = std::function<Status(const Node& node, const crypto::Digest& digest, const std::string& bytes)>;
  explicit RecipeBuilder(Emit emit) : emit_(std::move(emit)) {}

  Status add(const RecipeEntry& chunk);
  // A whole level-0 node whose boundaries are those of the rule. REQUIRES: at_node_start().
  Status add_node(const RecipeEntry& node);
  bool at_node_start() const { return pending_.empty() || pending_[0].entries.empty(); }
  // The root node's digest. REQUIRES: something was added; called once.
  Result<crypto::Digest> finish();
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  Status add_at(unsigned level, const RecipeEntry& entry);
  Result<crypto::Digest> close(unsigned level);

  const Emit emit_;
  std::vector<Node> pending_;          // by level
  std::vector<std::uint64_t> closed_;  // nodes completed, by level
  std::uint64_t size_bytes_ = 0;
};

}  // namespace mlops::cas
