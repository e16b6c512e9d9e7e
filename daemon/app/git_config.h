// The Git repositories that mlopsd may reach: a YAML file beside its configuration, named by git.repositories_file.
//
//   repositories:
//     gates:
//       url: https://HOST/TEAM/gates.git       # https, ssh, user@host:path, file:// or an absolute path
//       branch: main                           # default main
//       credential: file:/etc/mlopsd/gates.key # a token, or a private key for ssh; mode 0600
//       user: git                              # of the token or of ssh, where the server wants another
//       use: [policies, gitops, provenance]
//
// Errors: kInvalid "bad_setting", "unknown_key", "bad_git_url" with FILE:line:column; kDenied "credential_exposed";
// those of read_file. Thread-safety: free function.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/git_remotes.h"

namespace mlops::app {

// Empty for an empty path.
Result<std::vector<domain::GitRemoteConfig>> load_git_repositories(const std::string& path, std::int64_t timeout_s);

}  // namespace mlops::app
