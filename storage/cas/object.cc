#include "storage/cas/object.h"

#include "storage/cas/little_endian.h"

namespace mlops::cas {

std::string_view to_word(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kChunk:
      return "chunk";
    case ObjectKind::kNode:
      return "node";
    case ObjectKind::kBlob:
      return "blob";
    case ObjectKind::kRoot:
      return "root";
  }
  return "object";
}

std::optional<ObjectKind> object_kind_of(std::uint8_t byte) {
  for (const auto kind : {ObjectKind::kChunk, ObjectKind::kNode, ObjectKind::kBlob, ObjectKind::kRoot}) {
    if (static_cast<std::uint8_t>(kind) == byte) return kind;
  }
  return std::nullopt;
}

OwnerTag owner_tag(std::string_view principal_id) {
  const auto digest = crypto::sha256(principal_id);
  const auto tag = load_le<std::uint64_t>(digest.bytes().data());
  return tag == kEveryone ? 1 : tag;
}

}  // namespace mlops::cas
