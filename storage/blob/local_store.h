// Blobs as files of one directory:
//
//   <root>/tmp/<random>              being written; emptied at start
//   <root>/sha256/<2 hex>/<64 hex>   published: synced, renamed, directory synced
//
// The 256 fan-out directories are made and synced once, so publishing never creates a parent.
#pragma once

#include <memory>
#include <string>

#include "core/base/env.h"
#include "storage/blob/blob_store.h"

namespace mlops::blob {

struct LocalStoreOptions {
  std::string root;
  // Uploads are refused below this share of free space, so that the database can still write (percent).
  unsigned low_water_percent = 5;
};

// Errors: kExhausted "disk_full" also when the low-water mark is reached. REQUIRES: `env` outlives the store.
Result<std::unique_ptr<BlobStore>> open_local_store(LocalStoreOptions options, Env& env);

}  // namespace mlops::blob
