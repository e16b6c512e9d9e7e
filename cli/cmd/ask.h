// Asking the server which chunks, nodes and files it has, in batches of its limit. Errors: those of the server.
// Thread-safety: as the client.
#pragma once

#include <vector>

#include "cli/session.h"
#include "storage/cas/stream_format.h"

namespace mlops::cli {

// An answer each, in order: true when it is there.
Result<std::vector<bool>> ask_server(ApiClient& api, const std::vector<cas::Question>& questions);

}  // namespace mlops::cli
