// The Transport over core/net. Thread-safety: one thread at a time.
#pragma once

#include <memory>

#include "cli/settings.h"
#include "cli/transport.h"

namespace mlops::cli {

// Connects nothing yet. Errors: kInvalid "bad_url", "bad_request".
Result<std::unique_ptr<Transport>> connect_over_net(const Connection& connection);

}  // namespace mlops::cli
