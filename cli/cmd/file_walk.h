// What `register` reads: one file, or a directory in a deterministic order with everything in it.
//
// Hidden files count; empty directories cannot be kept by a manifest and are reported; symbolic links, sockets, pipes
// and devices are refused, so that a version holds exactly the bytes under the path. Nothing is opened. Errors:
// kNotFound "path_not_found", kInvalid "symlink_refused", "not_a_file", "no_files", "bad_path", kUnavailable
// "io_error". Thread-safety: pure but for the file system. Sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace mlops::cli {

struct WalkedFile {
  std::string path;    // inside the artifact
  std::string source;  // on this machine
  std::uint64_t size_bytes = 0;
};

struct Walk {
  bool is_directory = false;
  std::vector<WalkedFile> files;               // sorted by path, bytewise
  std::vector<std::string> empty_directories;  // inside the artifact, sorted
  std::uint64_t size_bytes = 0;
};

Result<Walk> walk_artifact(const std::string& path);

}  // namespace mlops::cli
