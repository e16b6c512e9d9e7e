// Long files that are new to a server on this machine go there as they are: the server cuts, hashes and encodes what it
// receives anyway, and doing half of it here before would only take the same processors twice. To a server elsewhere,
// files go in encoded chunks (blob_push.h), which spares the network and the server.
//
// Whether a file is new is guessed from samples all over it; a wrong guess costs time, never a byte of storage.
// Errors: those of the server and of reading; kConflict "file_changed"; kCorrupt "damaged_on_the_way". Thread-safety:
// main thread.
#pragma once

#include <functional>

#include "cli/cmd/push_source.h"
#include "cli/session.h"

namespace mlops::cli {

// False also when it cannot be told.
bool goes_plain(Session& session, const PushInput& input);

struct PlainPushed {
  crypto::Digest digest;
  std::uint64_t stored_bytes = 0;
};
// Durable when it returns. `progress` is told the bytes sent so far.
Result<PlainPushed> push_plain(Session& session, const PushInput& input,
                               const std::function<void(std::uint64_t)>& progress);

}  // namespace mlops::cli
