// What `register` reads: one file, or a directory in a deterministic order with everything in it.
//
// Hidden files count; empty directories cannot be kept by a manifest and are reported; symbolic links, sockets, pipes
// and devices are refused, so that a version holds exactly the bytes under the path. No file is opened. Several threads
// read directories; what comes back does not depend on them: of several errors it is the first by path. At most two
// directories a thread are open at a time, whatever the shape of the tree. Errors: kNotFound "path_not_found",
// kInvalid "symlink_refused", "not_a_file", "no_files", "bad_path", kUnavailable "io_error". Thread-safety: pure but
// for the file system. Sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/stat_cache.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace mlops::cli {

struct WalkedFile {
  std::string path;  // inside the artifact
  std::uint64_t size_bytes = 0;
  FileStat stat;
};

struct Walk {
  std::string root;            // as it was named: the directory, or the one file
  TimestampUs started_us = 0;  // before the first look at anything: what StatCache::store wants
  bool is_directory = false;
  std::vector<WalkedFile> files;               // sorted by path, bytewise
  std::vector<std::string> empty_directories;  // inside the artifact, sorted
  std::uint64_t size_bytes = 0;
};

Result<Walk> walk_artifact(const std::string& path);
// Where the file is on this machine. REQUIRES: `file` is one of `walk`.
std::string source_of(const Walk& walk, const WalkedFile& file);

}  // namespace mlops::cli
