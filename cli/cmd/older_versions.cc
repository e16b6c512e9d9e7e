#include "cli/cmd/older_versions.h"

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/recipe_query.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kVersionsListed = 100;

template <class Map>
std::optional<OlderFile> found_in(const Map& files, const typename Map::key_type& key) {
  const auto found = files.find(key);
  return found == files.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<OlderFile> OlderVersions::find(const std::string& path, std::uint64_t size_bytes) {
  load();
  return found_in(by_size_, {path, size_bytes});
}

std::function<std::vector<cas::RecipeEntry>()> OlderVersions::chunks_later(const std::string& path,
                                                                           std::uint64_t least_bytes) {
  load();
  const auto file = found_in(newest_, path);
  if (!file || file->size_bytes < least_bytes) return {};
  if (!recipes_) {
    auto api = session_.api().another();
    if (!api) return {};
    recipes_ = std::move(*api);
  }
  return [api = recipes_, file = *file]() -> std::vector<cas::RecipeEntry> {
    auto chunks = fetch_recipe(*api, file.digest, file.size_bytes);
    return chunks && *chunks ? std::move(**chunks) : std::vector<cas::RecipeEntry>();
  };
}

void OlderVersions::load() {
  if (std::exchange(is_loaded_, true)) return;
  Query query("/api/v1/versions");
  query.add("kind", kind_).add("name", name_);
  const auto versions = fetch_list(session_.api(), query, kVersionsListed);
  if (!versions) return;
  int left = most_;
  for (const auto& version : *versions) {
    if (text_of(version, "digest") == left_out_) continue;
    if (left-- == 0) return;
    load_files(text_of(version, "kind") + ":" + text_of(version, "ref"));
  }
}

void OlderVersions::load_files(const std::string& ref) {
  const auto files = session_.api().get(item_path("versions", ref, "/files"));
  if (!files) return;
  for (const auto& item : array_of(*files, "items")) {
    const auto digest = crypto::Digest::parse(text_of(item, "digest"));
    if (!digest) continue;
    const OlderFile file{*digest, static_cast<std::uint64_t>(int_of(item, "size_bytes"))};
    by_size_.try_emplace({text_of(item, "path"), file.size_bytes}, file);
    newest_.try_emplace(text_of(item, "path"), file);
  }
}

}  // namespace mlops::cli
