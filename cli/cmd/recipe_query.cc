#include "cli/cmd/recipe_query.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/base/text.h"
#include "core/net/url.h"
#include "storage/cas/chunker.h"
#include "storage/cas/little_endian.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kEntryBytes = 36;

Failure bad_recipe() {
  return fail(ErrorCode::kCorrupt, "bad_recipe", "the server's list of a file's chunks is not well formed",
              "is this mlopsctl of the server's version? see docs/format/push.md");
}

}  // namespace

Result<std::optional<std::vector<cas::RecipeEntry>>> fetch_recipe(ApiClient& api, const crypto::Digest& file,
                                                                  std::uint64_t size_bytes) {
  std::vector<cas::RecipeEntry> chunks;
  std::uint64_t done = 0;
  do {
    MLOPS_ASSIGN(const auto text, api.get_bytes("/api/v1/store/recipe/" + url_encode(file.to_string()) +
                                                "?offset=" + std::to_string(done)));
    const auto bytes = as_bytes(text);
    const auto count = bytes.size() < kHeadBytes ? 0 : cas::load_le<std::uint32_t>(bytes.data() + 8);
    if (count == 0 || bytes.size() != kHeadBytes + std::size_t{count} * kEntryBytes) return bad_recipe();
    for (std::size_t i = 0; i < count; ++i) {
      const auto* at = bytes.data() + kHeadBytes + i * kEntryBytes;
      std::array<std::uint8_t, 32> hash;
      std::copy_n(at, hash.size(), hash.begin());
      const auto size = cas::load_le<std::uint32_t>(at + hash.size());
      if (size > size_bytes - done) return bad_recipe();
      const bool is_last = size == size_bytes - done;
      const bool is_by_rule = size > 0 && size <= cas::kChunkMaxBytes && (is_last || size >= cas::kChunkMinBytes);
      if (!is_by_rule) return std::optional<std::vector<cas::RecipeEntry>>();
      chunks.push_back({crypto::Digest(hash), size});
      done += size;
    }
  } while (done < size_bytes);
  return std::optional(std::move(chunks));
}

}  // namespace mlops::cli
