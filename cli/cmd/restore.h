// Putting a version's files into a directory: nothing partial is ever visible, nothing outside the directory is
// touched.
//
// Files are fetched and verified in a hidden staging directory, then moved. A target that does not exist appears with
// one rename; into one that exists, files are moved one by one, each complete. A symbolic link on the way inside the
// target is refused, so that a prepared directory cannot lead writes elsewhere. Errors: kAlreadyExists
// "directory_not_empty", kInvalid "bad_path", "symlink_refused", kCorrupt "digest_mismatch", those of the server and of
// files. Thread-safety: main thread.
#pragma once

#include <string>
#include <vector>

#include "cli/cmd/fetch.h"
#include "cli/cmd/fetch_plan.h"
#include "cli/session.h"
#include "core/model/manifest.h"

namespace mlops::cli {

enum class Overwrite { kNo, kYes };

// The files of a version as the server lists them, proven against the version's digest: the manifest made of them has
// exactly that SHA-256. Errors: kCorrupt "manifest_mismatch", kInvalid "bad_path".
Result<std::vector<model::FileEntry>> proven_files(const Json& version, const Json& files);

// The same of a version of many files: from its manifest and the list that this names by digest. Errors: also those of
// the server.
Result<std::vector<model::FileEntry>> proven_tree(Session& session, const Json& version);

// Errors before anything is fetched when the directory is not fit to restore into.
Status check_target(const std::string& directory, Overwrite overwrite);
struct PullOptions {
  Durability durability = Durability::kSystem;
  FetchHow how;
};

// REQUIRES: `files` came from proven_files, check_target passed.
// What an older version in the directory has in common with this one is taken from there.
Result<FetchResult> restore_files(Session& session, const Json& version, const std::vector<model::FileEntry>& files,
                                  const std::string& directory, const PullOptions& options);

}  // namespace mlops::cli
