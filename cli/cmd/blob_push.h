// Getting an artifact's bytes to the server, moving only what it lacks: files are cut into chunks and hashed by all
// cores, the server is asked in batches which nodes, chunks and small files it has, and only the others are sent,
// encoded, in one stream (docs/format/push.md). A push that broke off goes on where it stopped: what arrived is not
// sent again; a lost connection is tried again by itself.
//
// Errors: those of the server and of reading; kConflict "file_changed" when a file changed while it was read.
// Thread-safety: main thread. Sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cmd/older_versions.h"
#include "cli/cmd/push_source.h"
#include "cli/session.h"

namespace mlops::cli {

struct PushResult {
  std::vector<crypto::Digest> digests;  // of the inputs, in their order
  std::uint64_t sent_files = 0;         // of which something was sent; with --dry-run: would be
  std::uint64_t sent_bytes = 0;         // over the wire; with --dry-run: of the files that would be sent
  std::uint64_t stored_bytes = 0;       // that the server's store grew by
  std::uint64_t known_bytes = 0;        // of the files, that the server had already
};

// Where to look for a file that a long one may mostly be.
struct PushGuesses {
  OlderVersions* versions = nullptr;               // nullptr: nowhere
  std::uint64_t worth_guessing_bytes = 64u << 20;  // for shorter files asking takes longer than it spares
};

// Makes sure that the server has every input, durably, and tells their digests.
Result<PushResult> push_files(Session& session, const std::vector<PushInput>& inputs, const PushGuesses& guesses = {});
// Of files whose digests are known: which of them the server lacks (indexes).
Result<std::vector<std::size_t>> missing_files(Session& session, const std::vector<PushInput>& inputs,
                                               const std::vector<crypto::Digest>& digests);
// Hashes and asks, sends nothing.
Result<PushResult> would_push(Session& session, const std::vector<PushInput>& inputs);

}  // namespace mlops::cli
