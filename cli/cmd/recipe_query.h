// Which chunks make up a file, asked of the server. Errors: those of the server; kCorrupt "bad_recipe" when the answer
// is not that of a file of this size. Thread-safety: main thread.
#pragma once

#include <vector>

#include "cli/api_client.h"
#include "cli/cmd/content_check.h"

namespace mlops::cli {

// In the order of the file; their sizes add up to `size_bytes`, each is a chunk's.
Result<std::vector<FileChunk>> fetch_recipe(ApiClient& api, const crypto::Digest& file, std::uint64_t size_bytes);

}  // namespace mlops::cli
