// What fetching and pushing have in common: credentials, a deadline, and errors that say what to do. Private to
// storage/git. Thread-safety: one operation each.
#pragma once

#include <chrono>
#include <string>

#include "storage/git/git_repository.h"
#include "storage/git/handles.h"

namespace mlops::git {

// One connection to a remote. It must outlive the libgit2 call that its callbacks were given to.
struct Connection {
  explicit Connection(const Remote& remote);
  // Sets the callbacks of a fetch or a push.
  void fill(git_remote_callbacks& callbacks);

  const Remote& remote;
  std::chrono::steady_clock::time_point deadline;
  int credentials_asked = 0;
  bool timed_out = false;
  std::string rejection;  // of a pushed reference, by the server
};

// A remote of the repository for one operation. No `insteadOf` of anybody's configuration leads it elsewhere; looking
// for one, libgit2 before 1.6 also loses 20 KB each time.
Result<RemoteHandle> remote_of(::git_repository* repository, const Remote& remote);
// Refuses at once what does not answer, where libgit2 would wait for the system's patience.
Status check_answers(const Remote& remote);
// kConflict "push_conflict": somebody was faster.
Failure push_conflict(const Remote& remote, const std::string& branch);
// What a failed connection means.
Failure connection_failure(const Connection& connection, int code, std::string_view doing);

}  // namespace mlops::git
