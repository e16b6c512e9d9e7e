// Locks that a killed mlopsd left behind: in its mirrors, and in a remote that is a folder. Private to storage/git.
//
// git and libgit2 lock a file by making FILE.lock beside it. Neither ever removes a lock that another process made,
// since that one may be at work: after a kill -9 at the wrong moment every later fetch or push would be refused for
// ever. A mirror has no other user, so all its locks are left ones. A remote's lock is removed only when a note in the
// mirror says that this mlopsd was about to make it. Errors: those of Env; kUnavailable "branch_locked". Thread-safety:
// under the lock of the mirror's GitRepository.
#pragma once

#include <string>

#include "core/base/result.h"

namespace mlops::git {

// REQUIRES: no other process uses the mirror (the data directory is locked), nor has this one opened it.
Status remove_locks(const std::string& mirror);

// A note in the mirror from before a remote's lock is made until after it is gone.
class LockNote {
 public:
  // `lock`: the path of the remote's lock.
  LockNote(const std::string& mirror, std::string lock);

  // Removes the lock if an earlier process noted it and was killed, and writes the note anew.
  Status begin() const;
  Status end() const;

 private:
  Status remove_left_lock() const;

  std::string path_;  // of the note
  std::string lock_;
};

}  // namespace mlops::git
