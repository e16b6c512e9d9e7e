#include "storage/cas/recipe.h"

#include <algorithm>
#include <cstring>

#include "storage/cas/little_endian.h"

namespace mlops::cas {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNodeHeadBytes = 8;
constexpr std::size_t kEntryBytes = 40;
constexpr std::size_t kBlobRecordBytes = 48;
constexpr std::uint8_t kBoundaryMask = 0x3f;
// Deeper trees than this would describe more bytes than 64 bits can count.
constexpr unsigned kLevelMax = 12;

Failure damaged(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "node_damaged", "a file's recipe is damaged: " + std::string(what));
}

crypto::Digest digest_at(const std::uint8_t* from) {
  std::array<std::uint8_t, 32> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return crypto::Digest(bytes);
}

}  // namespace

std::uint64_t Node::size_bytes() const {
  std::uint64_t size = 0;
  for (const auto& entry : entries) size += entry.size_bytes;
  return size;
}

std::string node_bytes(const Node& node) {
  std::string out(kNodeHeadBytes + node.entries.size() * kEntryBytes, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(out.data());
  at[0] = kVersion;
  at[1] = static_cast<std::uint8_t>(node.level);
  store_le(at + 2, static_cast<std::uint16_t>(node.entries.size()));
  at += kNodeHeadBytes;
  for (const auto& entry : node.entries) {
    std::memcpy(at, entry.digest.bytes().data(), 32);
    store_le(at + 32, entry.size_bytes);
    at += kEntryBytes;
  }
  return out;
}

Result<Node> parse_node(ByteView bytes) {
  if (bytes.size() < kNodeHeadBytes || bytes[0] != kVersion || bytes[1] > kLevelMax) return damaged("head");
  const std::size_t count = load_le<std::uint16_t>(bytes.data() + 2);
  if (count == 0 || count > kNodeMax || bytes.size() != kNodeHeadBytes + count * kEntryBytes) return damaged("size");
  Node node{bytes[1], {}};
  node.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* at = bytes.data() + kNodeHeadBytes + i * kEntryBytes;
    node.entries.push_back({digest_at(at), load_le<std::uint64_t>(at + 32)});
  }
  return node;
}

bool ends_node(const Node& node) {
  if (node.entries.size() >= kNodeMax) return true;
  return node.entries.size() >= kNodeMin && (node.entries.back().digest.bytes()[31] & kBoundaryMask) == 0;
}

std::string blob_record_bytes(const BlobRecord& record) {
  std::string out(kBlobRecordBytes, '\0');
  auto* const at = reinterpret_cast<std::uint8_t*>(out.data());
  at[0] = kVersion;
  store_le(at + 8, record.size_bytes);
  std::memcpy(at + 16, record.root.bytes().data(), 32);
  return out;
}

Result<BlobRecord> parse_blob_record(ByteView bytes) {
  if (bytes.size() != kBlobRecordBytes || bytes[0] != kVersion) return damaged("blob record");
  return BlobRecord{load_le<std::uint64_t>(bytes.data() + 8), digest_at(bytes.data() + 16)};
}

Result<crypto::Digest> parse_root_record(ByteView bytes) {
  if (bytes.size() != 32) return damaged("root record");
  return digest_at(bytes.data());
}

Status RecipeBuilder::add(const RecipeEntry& chunk) {
  size_bytes_ += chunk.size_bytes;
  return add_at(0, chunk);
}

Status RecipeBuilder::add_node(const RecipeEntry& node) {
  size_bytes_ += node.size_bytes;
  return add_at(1, node);
}

Status RecipeBuilder::add_at(unsigned level, const RecipeEntry& entry) {
  while (pending_.size() <= level) {
    pending_.push_back({static_cast<unsigned>(pending_.size()), {}});
    closed_.push_back(0);
  }
  pending_[level].entries.push_back(entry);
  if (!ends_node(pending_[level])) return {};
  const auto size = pending_[level].size_bytes();
  MLOPS_ASSIGN(const auto digest, close(level));
  return add_at(level + 1, {digest, size});
}

Result<crypto::Digest> RecipeBuilder::close(unsigned level) {
  const auto bytes = node_bytes(pending_[level]);
  const auto digest = crypto::sha256(bytes);
  MLOPS_TRY(emit_(pending_[level], digest, bytes));
  pending_[level].entries.clear();
  ++closed_[level];
  return digest;
}

Result<crypto::Digest> RecipeBuilder::finish() {
  for (unsigned level = 0; level < pending_.size(); ++level) {
    const bool is_top = level + 1 == pending_.size();
    const auto& entries = pending_[level].entries;
    // A node above a single one would say nothing new.
    if (is_top && level > 0 && closed_[level] == 0 && entries.size() == 1) return entries.front().digest;
    if (entries.empty()) continue;
    const auto size = pending_[level].size_bytes();
    MLOPS_ASSIGN(const auto digest, close(level));
    if (is_top && closed_[level] == 1) return digest;
    MLOPS_TRY(add_at(level + 1, {digest, size}));
  }
  return damaged("empty");
}

}  // namespace mlops::cas
