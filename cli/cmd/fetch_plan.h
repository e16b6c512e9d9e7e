// Which parts of a version's files have to come from the server: an older version of a file in the target directory
// serves for the rest.
//
// What the older file holds is guessed first: a version of the artifact that had a file of that path and size tells its
// chunks without reading it; the check of the finished file decides whether the guess was right. Without a guess the
// older file is cut and hashed here. Errors: those of the server and of reading; kCorrupt "bad_recipe". Thread-safety:
// main thread.
#pragma once

#include <string>
#include <vector>

#include "cli/cmd/fetch.h"

namespace mlops::cli {

enum class OlderFiles { kUse, kIgnore };

struct FetchHow {
  VerifyBy verify_by = VerifyBy::kFiles;
  // By their chunks only files as long as this are verified: shorter ones are not worth asking for them.
  std::uint64_t by_chunks_from_bytes = 64u << 20;
};

struct FetchPlan {
  std::vector<FetchFile> files;
  std::vector<model::FileEntry> unchanged;  // in the directory already, verified
};

// `version`: as the server gave it; `directory`: the target, "" when it does not exist.
Result<FetchPlan> plan_fetch(Session& session, const Json& version, const std::vector<model::FileEntry>& files,
                             const std::string& staging, const std::string& directory, OlderFiles older,
                             const FetchHow& how);

}  // namespace mlops::cli
