// One file on its way in as plain bytes, by several cores: the caller's thread receives and cuts, a second one hashes
// (each chunk, and with it the whole file), a third one encodes what is new, a fourth one appends. When many files
// arrive at once the cores are busy anyway: then, and for a short file, the caller's thread does all of it.
//
// Chunks that were received before the stream breaks off stay, so that the next push need not send them again. Errors:
// as Upload; those of `read`. Thread-safety: one thread. Memory: 18 MiB for each of a few files, 1.3 MiB for each of
// many.
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
