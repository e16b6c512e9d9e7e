// Content of a release before 0.2 (one file a blob) moved into packs, once, at start: each file is durable in a pack
// before it is removed, so a stop in the middle goes on at the next start. A file whose bytes do not match its name is
// set aside in blobs/damaged/ and told in the log; `mlopsctl fsck` then names it as missing. Errors: those of the
// stores.
#pragma once

#include <string>

#include "storage/cas/content_store.h"

namespace mlops::app {

Status convert_loose_blobs(const std::string& blob_dir, cas::ContentStore& content, Env& env);

}  // namespace mlops::app
