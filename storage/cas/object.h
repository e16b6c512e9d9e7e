// What lies in packs: objects by kind and SHA-256. A file is one chunk, or a tree of nodes over chunks with a record
// that names the tree's root.
//
//   chunk   up to 256 KiB of a file             key: SHA-256 of the bytes
//   node    list of chunks or nodes below it    key: SHA-256 of its payload
//   blob    a file of several chunks            key: SHA-256 of the whole file
//   root    which blob a root node makes up     key: that of the node
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/crypto/digest.h"

namespace mlops::cas {

enum class ObjectKind : std::uint8_t { kChunk = 'c', kNode = 'n', kBlob = 'b', kRoot = 'r' };
std::string_view to_word(ObjectKind kind);
std::optional<ObjectKind> object_kind_of(std::uint8_t byte);

struct ObjectKey {
  ObjectKind kind = ObjectKind::kChunk;
  crypto::Digest digest;
  auto operator<=>(const ObjectKey&) const = default;
};

// Who may be told that an object is here. Principals with the right to read are told of every one (kEveryone); another
// principal only of what it uploaded itself: what others hold is stored again under its own tag, so that neither the
// answer nor its time differs from that for absent bytes.
using OwnerTag = std::uint64_t;
inline constexpr OwnerTag kEveryone = 0;
// Of a principal without the right to read; never kEveryone.
OwnerTag owner_tag(std::string_view principal_id);

}  // namespace mlops::cas
