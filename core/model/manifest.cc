#include "core/model/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::model {
namespace {

// Media types per kind: the ModelPack ones for models, our own vendor ones where that specification has none.
struct KindTypes {
  std::string_view artifact;
  std::string_view config;
  std::string_view layer;
};
constexpr KindTypes kTypes[] = {
    {"application/vnd.cncf.model.manifest.v1+json", "application/vnd.cncf.model.config.v1+json",
     "application/vnd.cncf.model.weight.v1.raw"},
    {"application/vnd.mlops.dataset.manifest.v1+json", "application/vnd.mlops.dataset.config.v1+json",
     "application/vnd.cncf.model.dataset.v1.raw"},
};
constexpr std::string_view kPathAnnotation = "org.cncf.model.filepath";

// The most bytes of a tree line beside its path: hex digest, two spaces, the longest size, LF.
constexpr std::size_t kTreeLineBytes = 64 + 2 + 20 + 1;

const KindTypes& types_of(ArtifactKind kind) {
  return kTypes[static_cast<std::size_t>(kind)];
}

Failure bad_manifest(std::string_view why) {
  return fail(ErrorCode::kCorrupt, "bad_manifest", fmt::format("stored manifest: {}", why),
              "run `mlopsctl fsck --read-data`");
}

Json descriptor(std::string_view media_type, const crypto::Digest& digest, std::uint64_t size_bytes) {
  return {{"mediaType", media_type}, {"digest", digest.to_string()}, {"size", size_bytes}};
}

Json layers_of(const Manifest& manifest) {
  Json layers = Json::array();
  if (manifest.is_tree) {
    auto layer = descriptor(kTreeMediaType, manifest.tree_digest, manifest.tree_size_bytes);
    layer["annotations"] = {{"org.mlops.files", std::to_string(manifest.file_count)},
                            {"org.mlops.bytes", std::to_string(manifest.content_size_bytes)}};
    layers.push_back(std::move(layer));
    return layers;
  }
  for (const auto& file : manifest.files) {
    auto layer = descriptor(types_of(manifest.kind).layer, file.digest, file.size_bytes);
    layer["annotations"] = {{kPathAnnotation, file.path}};
    layers.push_back(std::move(layer));
  }
  return layers;
}

bool by_path(const FileEntry& a, const FileEntry& b) {
  return a.path < b.path;
}

// "a" and "a/b" cannot both be restored. REQUIRES: sorted by path, unique.
Status check_no_file_is_a_folder(const std::vector<FileEntry>& files) {
  // What begins with a path follows it without a gap, so `beginnings` holds those earlier paths that begin the one at
  // hand. Only the longest has to be looked at: behind a shorter one stands the same byte as when the longest was new.
  std::vector<std::string_view> beginnings;
  for (const auto& file : files) {
    const std::string_view path = file.path;
    while (!beginnings.empty() && !path.starts_with(beginnings.back())) beginnings.pop_back();
    if (!beginnings.empty() && path[beginnings.back().size()] == '/') {
      return fail(ErrorCode::kInvalid, "bad_path",
                  fmt::format("\"{}\" is both a file and a folder", printable(beginnings.back())));
    }
    beginnings.push_back(path);
  }
  return {};
}

// Stored bytes that break a rule of their grammar are damage, whatever the rule's own error says.
template <class T>
Result<T> stored(Result<T> parsed) {
  if (!parsed) return bad_manifest(parsed.error().message);
  return parsed;
}

Result<FileEntry> read_layer(const Json& layer) {
  FileEntry file;
  MLOPS_ASSIGN(file.digest, crypto::Digest::parse(layer.value("digest", "")));
  file.size_bytes = layer.value("size", std::uint64_t{0});
  file.path = layer.value("annotations", Json::object()).value(std::string(kPathAnnotation), "");
  MLOPS_TRY(check_file_path(file.path));
  return file;
}

Result<Manifest> read_tree_layer(Manifest manifest, const Json& layer) {
  manifest.is_tree = true;
  MLOPS_ASSIGN(manifest.tree_digest, crypto::Digest::parse(layer.value("digest", "")));
  manifest.tree_size_bytes = layer.value("size", std::uint64_t{0});
  const auto annotations = layer.value("annotations", Json::object());
  const auto files = parse_int(annotations.value("org.mlops.files", ""));
  const auto bytes = parse_int(annotations.value("org.mlops.bytes", ""));
  if (!files || !bytes) return bad_manifest("a tree layer without its counts");
  manifest.file_count = static_cast<std::uint64_t>(*files);
  manifest.content_size_bytes = static_cast<std::uint64_t>(*bytes);
  return manifest;
}

}  // namespace

Result<Manifest> make_manifest(ArtifactKind kind, std::vector<FileEntry> files) {
  if (files.empty()) {
    return fail(ErrorCode::kInvalid, "no_files", "the artifact has no files", "an artifact needs at least one file");
  }
  for (const auto& file : files) MLOPS_TRY(check_file_path(file.path));
  if (!std::is_sorted(files.begin(), files.end(), by_path)) std::sort(files.begin(), files.end(), by_path);
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i].path == files[i - 1].path) {
      return fail(ErrorCode::kInvalid, "duplicate_path",
                  fmt::format("the path \"{}\" stands twice in the file list", printable(files[i].path)));
    }
  }
  MLOPS_TRY(check_no_file_is_a_folder(files));
  Manifest manifest;
  manifest.kind = kind;
  manifest.file_count = files.size();
  for (const auto& file : files) manifest.content_size_bytes += file.size_bytes;
  manifest.is_tree = files.size() > kInlineFiles;
  manifest.files = std::move(files);
  if (manifest.is_tree) {
    const auto tree = tree_bytes(manifest);
    manifest.tree_digest = crypto::sha256(tree);
    manifest.tree_size_bytes = tree.size();
  }
  return manifest;
}

std::string manifest_bytes(const Manifest& manifest) {
  const auto& types = types_of(manifest.kind);
  Json config = descriptor(types.config, crypto::sha256(std::string_view("{}")), 2);
  return canonical_dump({{"schemaVersion", 2},
                         {"mediaType", kManifestMediaType},
                         {"artifactType", types.artifact},
                         {"config", std::move(config)},
                         {"layers", layers_of(manifest)}});
}

std::string tree_bytes(const Manifest& manifest) {
  // Written byte by byte: with several hundred thousand files a formatter costs more than hashing the result.
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::size_t size_bytes = 0;
  for (const auto& file : manifest.files) size_bytes += kTreeLineBytes + file.path.size();
  std::string out;
  out.reserve(size_bytes);
  std::array<char, kTreeLineBytes> head;
  for (const auto& file : manifest.files) {
    char* at = head.data();
    for (const auto byte : file.digest.bytes()) {
      *at++ = kHexDigits[byte >> 4];
      *at++ = kHexDigits[byte & 0x0f];
    }
    *at++ = ' ';
    at = std::to_chars(at, head.data() + head.size(), file.size_bytes).ptr;
    *at++ = ' ';
    out.append(head.data(), at);
    out += file.path;
    out += '\n';
  }
  return out;
}

Result<Manifest> parse_manifest(std::string_view bytes) {
  auto json = parse_json(bytes);
  if (!json || !json->is_object()) return bad_manifest("is not a JSON object");
  try {
    Manifest manifest;
    const auto artifact_type = json->value("artifactType", "");
    if (artifact_type == types_of(ArtifactKind::kDataset).artifact) manifest.kind = ArtifactKind::kDataset;
    const auto layers = json->value("layers", Json::array());
    if (layers.size() == 1 && layers[0].value("mediaType", "") == kTreeMediaType) {
      return stored(read_tree_layer(std::move(manifest), layers[0]));
    }
    for (const auto& layer : layers) {
      MLOPS_ASSIGN(auto file, stored(read_layer(layer)));
      manifest.content_size_bytes += file.size_bytes;
      manifest.files.push_back(std::move(file));
    }
    manifest.file_count = manifest.files.size();
    return manifest;
  } catch (const Json::exception&) {
    return bad_manifest("a member has the wrong type");
  }
}

Result<std::vector<FileEntry>> parse_tree(std::string_view bytes) {
  std::vector<FileEntry> files;
  if (!bytes.empty() && bytes.back() != '\n') return bad_manifest("the tree's last line is cut");
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return bad_manifest("a tree line without three fields");
    FileEntry file;
    MLOPS_ASSIGN(file.digest, stored(crypto::Digest::parse_hex(line.substr(0, first))));
    const auto size = parse_int(line.substr(first + 1, second - first - 1));
    if (!size || *size < 0) return bad_manifest("a tree line with a bad size");
    file.size_bytes = static_cast<std::uint64_t>(*size);
    file.path = line.substr(second + 1);
    if (auto path = check_file_path(file.path); !path) return bad_manifest(path.error().message);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace mlops::model
