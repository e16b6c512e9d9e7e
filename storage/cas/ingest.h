// The receiving end of a push: takes a stream of records (stream_format.h) and makes files of it, every hash verified.
//
// Two threads: the caller's receives and looks up; the other decodes and hashes (each chunk, and with it the whole
// file) and appends what has proved right. Nothing unverified is written. Chunks that were received before a stream
// breaks off stay, so that the next push need not send them again. A file that consists of known chunks only is not
// read when its root was verified before.
//
// Errors: kInvalid "bad_record", "digest_mismatch"; kExhausted "too_many_files" (kStreamFilesMax); kConflict
// "object_missing" (a known chunk or node that is not here: ask and send again); kUnavailable "store_changed"; those of
// the store and of `read`. Thread-safety: one thread. Memory: a few batches of up to 1 MiB.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "storage/cas/content_store.h"

namespace mlops::cas {

// A longer list of files goes in several streams; what is remembered of one stays small.
inline constexpr std::uint64_t kStreamFilesMax = 100'000;

struct Received {
  std::vector<Stored> files;     // those whose end named no digest, in order
  std::uint64_t file_count = 0;  // all
  std::uint64_t new_chunks = 0;  // that the store did not have
  std::uint64_t new_bytes = 0;   // stored for them
};

// Fills `into` (wholly or partly) with the next bytes of the stream; 0: the end.
using StreamRead = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

// Durable when it returns.
Result<Received> receive_files(ContentStore& store, OwnerTag owner, const StreamRead& read);

}  // namespace mlops::cas
