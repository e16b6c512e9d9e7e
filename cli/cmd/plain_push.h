// Long files that are new to a server on this machine go there as they are: the server cuts, hashes and encodes what it
// receives anyway, and doing half of it here before would only take the same processors twice. To a server elsewhere,
// files go in encoded chunks (blob_push.h), which spares the network and the server.
//
// The server must have a loopback address and tell the word that only this machine's processes can (core/crypto/
// machine.h): a forwarded port leads elsewhere. Whether a file is new is guessed from samples all over it; a wrong
// guess costs time, never a byte of storage. Errors: those of the server and of reading; kConflict "file_changed".
// Thread-safety: main thread.
#pragma once

#include <functional>
#include <optional>

#include "cli/cmd/push_source.h"
#include "cli/session.h"

namespace mlops::cli {

struct PlainPushed {
  crypto::Digest digest;
  std::uint64_t stored_bytes = 0;
};

class PlainRoute {
 public:
  explicit PlainRoute(Session& session) : session_(session) {}

  // Whether the file should go this way. False also when it cannot be told.
  bool takes(const PushInput& input);
  // Durable when it returns. `progress` is told the bytes sent so far.
  Result<PlainPushed> push(const PushInput& input, const std::function<void(std::uint64_t)>& progress);

 private:
  bool is_server_here();

  Session& session_;
  std::optional<bool> is_here_;  // asked once
};

}  // namespace mlops::cli
