// What a killed mlopsd left behind: locks, in its mirrors and in a remote that is a folder, and temporary files.
// Private to storage/git.
//
// git and libgit2 lock a file by making FILE.lock beside it. Neither ever removes a lock that another process made,
// since that one may be at work: after a kill -9 at the wrong moment every later fetch or push would be refused for
// ever. A mirror has no other user, so all its locks are left ones. A remote's lock is removed only when a note in the
// mirror says that this mlopsd was about to make it, and the lock is of its user and holds what was noted, or nothing
// yet. Errors: those of Env; kUnavailable "branch_locked". Thread-safety: under the lock of the mirror's GitRepository.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::git {

// Removes locks and temporary files; what cannot be removed is logged, and told by the fetch that it hinders.
// REQUIRES: no other process uses the mirror (the data directory is locked), nor has this one opened it.
void remove_leftovers(const std::string& mirror);

// "branch_locked", where `lock` is what another process, or an earlier one of ours, holds.
Failure branch_locked(std::string_view remote, std::string_view lock);

// The note in a mirror from before a remote's lock is made until after it is gone.
class LockNote {
 public:
  LockNote(std::string_view mirror, std::string_view remote);

  // Removes the lock that is noted if it is ours, then the note. "branch_locked": it cannot be told yet, since a lock
  // that is empty and young may be another process's; the note stays.
  Status settle() const;
  // After settle(): `lock` is about to be made, to move a branch to `commit`.
  Status begin(const std::string& lock, const std::string& commit) const;
  // The lock is gone, or was never made.
  Status end() const;

 private:
  std::string path_;
  std::string remote_;
};

}  // namespace mlops::git
