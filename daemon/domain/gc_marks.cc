#include "daemon/domain/gc_marks.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;

// What is lost or damaged, as against a disk that does not answer now.
bool is_gone(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kCorrupt;
}

Result<bool> keep_blob(cas::Collection& collection, const crypto::Digest& blob) {
  auto is_here = collection.keep(blob);
  if (!is_here && is_gone(is_here.error())) return false;
  return is_here;
}

}  // namespace

ManifestReader manifest_reader(meta::Store& store) {
  return [&store](const crypto::Digest& digest) {
    return store.read<std::string>(
        [&](sql::Connection& connection) { return meta::manifest_body(connection, digest); });
  };
}

ManifestReader manifest_reader(sql::Connection& connection) {
  return [&connection](const crypto::Digest& digest) { return meta::manifest_body(connection, digest); };
}

Result<ManifestBlobs> blobs_of(const ManifestReader& read, cas::ContentStore& content, const crypto::Digest& manifest) {
  MLOPS_ASSIGN(const auto body, read(manifest));
  if (crypto::sha256(body) != manifest) {
    return fail(ErrorCode::kCorrupt, "manifest_damaged",
                fmt::format("the manifest {} is damaged", manifest.to_string()),
                "restore a backup; `mlopsctl fsck` names what else is damaged");
  }
  MLOPS_ASSIGN(auto parsed, model::parse_manifest(body));
  ManifestBlobs blobs;
  if (!parsed.is_tree) {
    blobs.files = std::move(parsed.files);
    return blobs;
  }
  blobs.tree = parsed.tree_digest;
  const auto tree = content.read(parsed.tree_digest, kTreeLimitBytes);
  if (!tree && !is_gone(tree.error())) return fail(tree.error());
  auto files = tree ? model::parse_tree(*tree) : Result<std::vector<model::FileEntry>>(std::vector<model::FileEntry>());
  blobs.is_readable = tree && files;
  if (blobs.is_readable) blobs.files = std::move(*files);
  return blobs;
}

bool has_any(cas::ContentStore& content, const ManifestBlobs& blobs) {
  if (blobs.tree && content.size_of(*blobs.tree)) return true;
  return std::any_of(blobs.files.begin(), blobs.files.end(),
                     [&](const auto& file) { return content.size_of(file.digest).has_value(); });
}

bool has_all(cas::ContentStore& content, const ManifestBlobs& blobs) {
  if (!blobs.is_readable) return false;
  return std::all_of(blobs.files.begin(), blobs.files.end(),
                     [&](const auto& file) { return content.has(file.digest, file.size_bytes); });
}

Result<bool> Marks::keep(const ManifestReader& read, const crypto::Digest& manifest) {
  if (whole_.contains(manifest)) return true;
  if (incomplete_.contains(manifest)) return false;
  MLOPS_ASSIGN(const auto blobs, blobs_of(read, content_, manifest));
  bool is_whole = blobs.is_readable;
  if (blobs.tree) {
    MLOPS_ASSIGN(const bool is_here, keep_blob(collection_, *blobs.tree));
    is_whole = is_whole && is_here;
  }
  for (const auto& file : blobs.files) {
    MLOPS_ASSIGN(const bool is_here, keep_blob(collection_, file.digest));
    is_whole = is_whole && is_here;
  }
  (is_whole ? whole_ : incomplete_).insert(manifest);
  return is_whole;
}

Status Marks::keep(const ManifestReader& read, const Roots& roots) {
  for (const auto& manifest : roots.live) {
    MLOPS_ASSIGN(const bool is_whole, keep(read, manifest));
    if (!is_whole) damaged_live_.insert(manifest);
  }
  for (const auto& kept : roots.kept) {
    MLOPS_ASSIGN(const bool is_whole, keep(read, kept.version.manifest));
    if (!is_whole) incomplete_kept_.insert(kept.version.id);
  }
  return {};
}

}  // namespace mlops::domain
