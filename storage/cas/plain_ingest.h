// One file on its way in as plain bytes, by several cores: the caller's thread receives and cuts, a second one encodes,
// a third one hashes (each chunk, and with it the whole file) and appends. A short file is taken by the caller's thread
// alone.
//
// Chunks that were received before the stream breaks off stay, so that the next push need not send them again. Errors:
// as Upload; those of `read`. Thread-safety: one thread. Memory: a few batches of 1 MiB, twice; fewer when many files
// arrive.
#pragma once

#include <optional>

#include "storage/cas/content_store.h"
#include "storage/cas/ingest.h"

namespace mlops::cas {

struct PlainReceived {
  Stored file;
  std::uint64_t new_bytes = 0;  // stored for it
};

// Durable when it returns. With `expected`, other bytes are refused.
Result<PlainReceived> receive_plain(ContentStore& store, OwnerTag owner, const StreamRead& read,
                                    const std::optional<crypto::Digest>& expected = std::nullopt);

}  // namespace mlops::cas
