#include "storage/git/git_source.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "storage/git/handles.h"

namespace mlops::git {
namespace {

struct StringArray {
  git_strarray array{};
  ~StringArray() { git_strarray_dispose(&array); }
};

struct Buffer {
  git_buf buffer{};
  ~Buffer() { git_buf_dispose(&buffer); }
};

Failure fail_git(int code, std::string_view doing, const std::string& dir) {
  const std::string shown = printable(dir);
  if (code == GIT_ENOTFOUND) {
    return fail(ErrorCode::kNotFound, "not_a_git_repository", fmt::format("{} is not in a git repository", shown),
                "name a folder below one, or leave --git out");
  }
  if (code == GIT_EOWNER) {
    return fail(ErrorCode::kUnavailable, "git_owner",
                fmt::format("the git repository at {} belongs to another user", shown),
                "when you trust it: git config --global --add safe.directory with its top folder");
  }
  return fail(ErrorCode::kUnavailable, "git_error", fmt::format("cannot {} at {}: {}", doing, shown, last_reason()));
}

// Whether discovery finds a repository that is not this user's. libgit2 1.5 reports such a one as "not found" while no
// configuration lists any safe.directory, although it knows GIT_EOWNER.
bool is_of_another_user(const std::string& dir) {
  Buffer found;
  struct stat info {};
  return git_repository_discover(&found.buffer, dir.c_str(), 0, nullptr) == 0 && ::stat(found.buffer.ptr, &info) == 0 &&
         info.st_uid != ::geteuid();
}

Result<RepositoryHandle> open_above(const std::string& dir) {
  git_repository* opened = nullptr;
  const int code = git_repository_open_ext(&opened, dir.c_str(), 0, nullptr);
  if (code == GIT_ENOTFOUND && is_of_another_user(dir)) return fail_git(GIT_EOWNER, "open", dir);
  if (code != 0) return fail_git(code, "open the git repository", dir);
  return RepositoryHandle(opened);
}

Result<ReferenceHandle> read_head(git_repository* repository, const std::string& dir) {
  git_reference* head = nullptr;
  const int code = git_repository_head(&head, repository);
  if (code == GIT_EUNBORNBRANCH || code == GIT_ENOTFOUND) {
    return fail(ErrorCode::kInvalid, "git_no_commit",
                fmt::format("the git repository at {} has no commit yet", printable(dir)), "commit first");
  }
  if (code != 0) return fail_git(code, "read HEAD", dir);
  return ReferenceHandle(head);
}

Result<std::string> remote_url(git_repository* repository, const std::string& dir) {
  StringArray names;
  if (const int code = git_remote_list(&names.array, repository); code != 0) return fail_git(code, "list remotes", dir);
  if (names.array.count == 0) return std::string();
  std::string chosen = names.array.strings[0];
  for (std::size_t i = 0; i < names.array.count; ++i) {
    if (std::string_view(names.array.strings[i]) == "origin") chosen = "origin";
  }
  git_remote* looked_up = nullptr;
  if (const int code = git_remote_lookup(&looked_up, repository, chosen.c_str()); code != 0) {
    return fail_git(code, "read a remote", dir);
  }
  const RemoteHandle remote(looked_up);
  const char* const url = git_remote_url(remote.get());
  return url ? without_credentials(url) : std::string();
}

Result<bool> is_dirty(git_repository* repository, const std::string& dir) {
  if (git_repository_is_bare(repository) == 1) return false;
  git_status_options options;
  git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED;
  // One difference is enough: the callback stops at the first.
  const int code = git_status_foreach_ext(
      repository, &options, [](const char*, unsigned, void*) { return static_cast<int>(GIT_EUSER); }, nullptr);
  if (code == GIT_EUSER) return true;
  if (code != 0) return fail_git(code, "compare the files", dir);
  return false;
}

}  // namespace

Result<model::GitSource> read_git_source(const std::string& dir) {
  init_library();
  MLOPS_ASSIGN(const RepositoryHandle repository, open_above(dir));
  MLOPS_ASSIGN(const ReferenceHandle head, read_head(repository.get(), dir));
  model::GitSource source;
  source.commit = hex_of(*git_reference_target(head.get()));
  if (git_reference_is_branch(head.get()) == 1) source.branch = git_reference_shorthand(head.get());
  MLOPS_ASSIGN(source.remote, remote_url(repository.get(), dir));
  MLOPS_ASSIGN(source.dirty, is_dirty(repository.get(), dir));
  return source;
}

std::string without_credentials(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == url.npos) {
    // scp form, user@host:path; a local path has its '@', if any, behind a '/'.
    const std::size_t at = url.find('@');
    return std::string(at < url.find('/') && at < url.find(':') ? url.substr(at + 1) : url);
  }
  const std::string scheme = to_lower_ascii(url.substr(0, scheme_end));
  std::string_view rest = url.substr(scheme_end + 3);
  if (scheme == "http" || scheme == "https") rest = rest.substr(0, rest.find_first_of("?#"));
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t colon = authority.rfind(':');
  const bool port_like = colon == authority.npos || authority.find(']', colon) != authority.npos ||
                         authority.find_first_not_of("0123456789", colon + 1) == authority.npos;
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    rest.remove_prefix(at + 1);
  } else if (const std::size_t far_at = rest.rfind('@'); !port_like && far_at != rest.npos) {
    rest.remove_prefix(far_at + 1);  // a password with an unescaped '/'
  }
  return std::string(url.substr(0, scheme_end + 3)) + std::string(rest);
}

}  // namespace mlops::git
