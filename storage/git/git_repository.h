// A bare mirror of one configured remote: fetched into the data directory, read there at exact commits.
//
// The mirror keeps every object it ever fetched, so that a commit which a force-push took off its branch can still be
// told from one that never was. `fetch` is the only call that connects, besides push (git_writer.h).
// Errors: kUnavailable "git_unreachable", "git_credential" (refused or unreadable), "git_error"; kNotFound
// "branch_missing", "commit_missing", "file_missing"; kExhausted "file_too_large", "too_many_files". No message holds a
// credential: a URL with one in it is not accepted (check_remote_url). Thread-safety: thread-safe; one call at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

struct git_repository;

namespace mlops::git {

struct Remote {
  std::string name;          // as configured; for messages and the mirror's folder
  std::string url;           // https://, ssh://, user@host:path, file:///path or /path
  std::string user = "git";  // of the token, or of ssh where the URL names none
  std::string token;         // for https
  std::string ssh_key_file;  // for ssh
  std::int64_t timeout_s = 30;
  std::int64_t lock_timeout_ms = 1000;  // how long a branch of a folder that is locked is waited for, as git waits
};

// From then on certificates of servers are checked against these authorities (PEM) alone. For the whole process;
// REQUIRES: before the first connection. Errors: kInvalid "unusable_ca_file".
Status trust(const std::string& ca_file);

// A file of a commit's tree.
struct TreeFile {
  std::string path;  // below the repository's top folder
  std::string content;
};

struct CommitInfo {
  std::string commit;
  std::string author_name;
  std::string author_email;
  std::string message;
  std::int64_t time_s = 0;
};

// https, ssh, scp form, file:// or an absolute path; without a password or a token in it.
// Errors: kInvalid "bad_git_url".
Status check_remote_url(std::string_view url);
// The same host and path in one spelling, whatever the protocol, user, port of the protocol, ".git" or case of the
// host: "git.example.org/team/repository". Local paths: as they are. Empty for an empty URL.
std::string normalised_url(std::string_view url);
// The folder of a local remote; empty for any other.
std::string local_path(std::string_view url);

class GitRepository {
 public:
  // Makes the mirror when it is not there, and removes what a killed process left in it. REQUIRES: `folder`
  // is ours, not a client's words, and no other process uses it.
  static Result<std::unique_ptr<GitRepository>> open(const std::string& folder, Remote remote);
  ~GitRepository();
  GitRepository(const GitRepository&) = delete;
  GitRepository& operator=(const GitRepository&) = delete;

  const Remote& remote() const { return remote_; }

  // All branches and tags as they are now; what is gone there is gone here.
  Status fetch();
  // Changes whenever a branch or a tag does.
  Result<std::string> state();
  // The branch's newest commit, as of the last fetch.
  Result<std::string> head_of(const std::string& branch);
  // Whether the mirror has the commit's object, on a branch or not.
  Result<bool> has_commit(const std::string& commit);
  // Whether `commit` is `tip` or an ancestor of it. Both absent or unknown: false.
  Result<bool> is_ancestor(const std::string& commit, const std::string& tip);
  // Branches that contain the commit, sorted; empty for one that no branch leads to.
  Result<std::vector<std::string>> branches_with(const std::string& commit);
  // Whether a branch or a tag leads to the commit.
  Result<bool> is_reachable(const std::string& commit);

  Result<std::string> read_file(const std::string& commit, const std::string& path);
  // Every regular file below `folder` ("" for all) whose name ends in one of `suffixes`, by path. Absent folder:
  // "file_missing".
  Result<std::vector<TreeFile>> read_files(const std::string& commit, const std::string& folder,
                                           const std::vector<std::string_view>& suffixes);
  // Commits that lead to `tip` and not to `base` (empty: all), newest first, at most `limit`.
  Result<std::vector<CommitInfo>> log(const std::string& base, const std::string& tip, std::size_t limit);

 private:
  friend class GitWriter;
  GitRepository(::git_repository* handle, Remote remote) : handle_(handle), remote_(std::move(remote)) {}

  ::git_repository* handle_;
  const Remote remote_;
  std::mutex mutex_;
};

}  // namespace mlops::git
