// The composition root: builds every part in order, serves until told to stop, and takes everything down in reverse.
// Thread-safety: main thread only.
#pragma once

#include "core/base/result.h"
#include "daemon/app/config.h"
#include "daemon/app/first_start.h"

namespace mlops::app {

// Seals the masking keys under another master key, which the words name as masking.master_key does; no daemon may run.
Status rewrap_keys(const Config& config, const std::string& new_master);

// Serves until SIGTERM or SIGINT, then drains. Errors: whatever kept it from starting.
Status run_daemon(const Config& config, MissingKeys missing_keys);

}  // namespace mlops::app
