// The first start of a data directory: an administrator's token in a 0600 file, and a context for the local mlopsctl
// (docs/format/context.md). A context that is already there is never changed.
#pragma once

#include <string>

#include "core/base/result.h"
#include "daemon/app/data_dir.h"
#include "daemon/domain/identity.h"

namespace mlops::app {

// Nothing on later starts.
Status make_first_token(const DataDir& data_dir, meta::Store& store, domain::Identity& identity, std::int64_t lifetime_s);
// Writes $XDG_CONFIG_HOME/mlops/config.yaml when there is none; a failure is only logged.
void make_local_context(const DataDir& data_dir, const std::string& server_url);

}  // namespace mlops::app
