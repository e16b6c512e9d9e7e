// Getting an artifact's bytes to the server, moving only what it lacks.
//
// Small files are hashed first, asked about in batches, and only missing ones sent. A file of 64 MiB or more would be
// read twice that way, so it is streamed and hashed in one pass, unless the artifact already has a file of that very
// size: then hashing first is likely to save the whole transfer. Errors: those of the server and of reading; kConflict
// "file_changed" when a file changed while it was read. Thread-safety: main thread. Sizes in bytes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "cli/cmd/file_walk.h"
#include "cli/session.h"
#include "core/model/manifest.h"

namespace mlops::cli {

inline constexpr std::uint64_t kStreamFromBytes = 64u << 20;

struct PushResult {
  std::vector<model::FileEntry> files;  // in the order of the walk
  std::uint64_t sent_files = 0;         // with --dry-run: what would be sent
  std::uint64_t sent_bytes = 0;
};

// Which files to send without asking first: large ones of a size that no version has. `known_sizes`: of files that the
// server may hold.
bool streams_at_once(const WalkedFile& file, const std::set<std::uint64_t>& known_sizes);

Result<PushResult> push_files(Session& session, model::ArtifactKind kind, const std::string& name, const Walk& walk);

}  // namespace mlops::cli
