// A push to a remote that is a folder on this machine. Private to storage/git.
//
// libgit2's own transport to a folder sets a branch whatever it was by then, through a name that all its pushes share.
// Here the objects are copied one by one, those first that others name, so that what is there is whole at any moment;
// then the branch is moved under its lock, from exactly what it was. What is made gets the access that its folder has,
// not that of mlopsd's umask. A kill -9 in between leaves objects that no branch leads to, which `git gc` takes away, a
// temporary file of one, and at worst the lock (locks.h). Errors: as GitWriter::push. Thread-safety: under the lock of
// the mirror's GitRepository.
#pragma once

#include <string>

#include "storage/git/git_repository.h"

namespace mlops::git {

struct BranchMove {
  std::string branch;
  std::string commit;    // what it is to be; in the mirror
  std::string expected;  // what it was, in the mirror; empty: there was no such branch
};

Status push_to_folder(::git_repository* mirror, const Remote& remote, const std::string& folder,
                      const BranchMove& move);

}  // namespace mlops::git
