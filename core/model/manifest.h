// A version's content: an OCI image manifest whose SHA-256 is the version's digest (docs/format/manifest.md).
//
// Canonical JSON without names or times, so equal files give an equal digest. Up to kInlineFiles files are layers;
// more are one layer of media type kTreeMediaType whose blob lists "<sha256 hex> <size> <path>\n" sorted by path.
// Thread-safety: values and pure functions. Sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "core/model/kind.h"

namespace mlops::model {

inline constexpr std::size_t kInlineFiles = 256;
inline constexpr std::string_view kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kTreeMediaType = "application/vnd.mlops.tree.v1";

struct FileEntry {
  std::string path;
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
};

struct Manifest {
  ArtifactKind kind = ArtifactKind::kModel;
  std::vector<FileEntry> files;  // sorted by path, unique; empty when only the tree is known
  bool is_tree = false;
  crypto::Digest tree_digest;  // is_tree
  std::uint64_t tree_size_bytes = 0;
  std::uint64_t content_size_bytes = 0;  // sum of the files
  std::uint64_t file_count = 0;
};

// Sorts, checks paths and duplicates. Errors: kInvalid "bad_path", "duplicate_path", "no_files".
Result<Manifest> make_manifest(ArtifactKind kind, std::vector<FileEntry> files);
std::string manifest_bytes(const Manifest& manifest);
// The tree blob of a manifest with many files. REQUIRES: manifest.is_tree and files present.
std::string tree_bytes(const Manifest& manifest);
// Errors: kCorrupt "bad_manifest".
Result<Manifest> parse_manifest(std::string_view bytes);
Result<std::vector<FileEntry>> parse_tree(std::string_view bytes);

}  // namespace mlops::model
