// The first start of a data directory, also of one restored from a backup: an administrator's token in a 0600 file, and
// a context for the local mlopsctl (docs/format/context.md). A context that is already there is never changed.
#pragma once

#include <string>

#include "core/base/result.h"
#include "daemon/app/config.h"
#include "daemon/app/data_dir.h"
#include "daemon/domain/identity.h"

namespace mlops::app {

// What to do about a database that was restored without the keys its tokens and pseudonyms were made with.
enum class MissingKeys { kRefuse, kReplace };
enum class Keys { kUsual, kReplaced };

// New keys beside an old database would lock everybody out and silently give people other pseudonyms: they are made
// only when asked for. Errors: kRefused "key_missing". REQUIRES: before the first DataDir::key().
Result<Keys> check_keys(const DataDir& data_dir, meta::Store& store, const Config& config, MissingKeys missing);

// On the first start, and when the keys were replaced; nothing on other starts.
Status make_first_token(const DataDir& data_dir, meta::Store& store, domain::Identity& identity,
                        std::int64_t lifetime_s, Keys keys);
// Writes $XDG_CONFIG_HOME/mlops/config.yaml when there is none; a failure is only logged.
void make_local_context(const DataDir& data_dir, const std::string& server_url);

}  // namespace mlops::app
