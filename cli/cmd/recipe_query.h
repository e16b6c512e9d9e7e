// Which chunks make up a file, asked of the server. Errors: those of the server; kCorrupt "bad_recipe" when the answer
// is not that of a file of this size. Thread-safety: that of the client.
#pragma once

#include <optional>
#include <vector>

#include "cli/api_client.h"
#include "storage/cas/recipe.h"

namespace mlops::cli {

// In the order of the file; their sizes add up to `size_bytes`. nullopt: the file was not cut by the rule (chunker.h),
// so that there may be any number of chunks; nobody need bother with them. REQUIRES: `size_bytes` is not 0.
Result<std::optional<std::vector<cas::RecipeEntry>>> fetch_recipe(ApiClient& api, const crypto::Digest& file,
                                                                  std::uint64_t size_bytes);

}  // namespace mlops::cli
