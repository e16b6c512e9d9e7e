// Commits without a work tree: new files on top of a branch's newest commit, made in the mirror and pushed as they are.
//
// A push moves the remote's branch from exactly the commit it was built on, or not at all: what somebody else pushed in
// between is never lost. Errors: kConflict "push_conflict" (the branch moved: fetch, build anew); kUnavailable
// "push_refused" (the server's hook or protection said no; a folder with a work tree), "branch_locked" (of a folder,
// by another process), "git_unreachable", "git_credential", "git_error"; those of Env.
// Thread-safety: thread-safe, as its repository.
#pragma once

#include <string>
#include <vector>

#include "storage/git/git_repository.h"

namespace mlops::git {

struct CommitWish {
  std::string parent;                // empty: the first commit of a repository
  std::vector<TreeFile> files;       // written in the place of what is there
  std::vector<std::string> removed;  // paths; one that is not there is no error. REQUIRES: none of `files`
  std::string message;
  std::string author_name;
  std::string author_email;
  std::int64_t time_s = 0;  // since the epoch; the same wish gives the same commit
};

class GitWriter {
 public:
  explicit GitWriter(GitRepository& repository) : repository_(repository) {}

  // The id of the new commit, known to the mirror alone until it is pushed.
  Result<std::string> commit(const CommitWish& wish);
  // REQUIRES: `expected` is what the remote's branch was when `commit` was built on it (empty: there was no branch).
  Status push(const std::string& branch, const std::string& commit, const std::string& expected);

 private:
  Status push_to(const std::string& specification);

  GitRepository& repository_;
};

}  // namespace mlops::git
