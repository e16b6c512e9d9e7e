// Where the code behind a version came from: reads a working copy, never writes, never connects.
//
// Errors: kNotFound "not_a_git_repository" (no repository here or above), kInvalid "git_no_commit" (nothing committed
// yet), kUnavailable "git_owner" (it belongs to another user), "git_error" (libgit2's reason). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/model/version.h"

namespace mlops::git {

// The state of the repository that `dir` lies in: the commit checked out, its branch (empty when detached), the URL of
// "origin" or else of the first remote (empty without one), and whether anything, untracked files included, differs.
Result<model::GitSource> read_git_source(const std::string& dir);

// A remote's URL without what may be a secret: user information, and for http(s) the query and the fragment.
std::string without_credentials(std::string_view url);

}  // namespace mlops::git
