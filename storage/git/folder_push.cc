#include "storage/git/folder_push.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/log.h"
#include "core/base/text.h"
#include "storage/git/locks.h"
#include "storage/git/object_copy.h"
#include "storage/git/transport.h"

namespace mlops::git {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLockPause{20};

Failure not_bare(const Remote& remote, const std::string& branch) {
  return fail(ErrorCode::kUnavailable, "push_refused",
              fmt::format("the branch {} of {} is checked out in a work tree, which would fall behind",
                          printable(branch), remote.name),
              "let the work tree be a clone of a bare repository (git init --bare), and name that one");
}

Failure symbolic(const Remote& remote, const std::string& branch) {
  return fail(ErrorCode::kUnavailable, "push_refused",
              fmt::format("the branch {} of {} is a name for another branch", printable(branch), remote.name),
              "name that one in mlopsd's repositories file");
}

// What a move to a folder would do harm to. libgit2 would let it pass.
Status check_target(::git_repository* there, const Remote& remote, const BranchMove& move) {
  if (git_repository_is_bare(there) != 1) return not_bare(remote, move.branch);
  git_reference* found = nullptr;
  if (git_reference_lookup(&found, there, ("refs/heads/" + move.branch).c_str()) != 0) return {};
  const ReferenceHandle branch(found);
  if (git_reference_type(found) == GIT_REFERENCE_SYMBOLIC) return symbolic(remote, move.branch);
  if (git_branch_is_checked_out(found) == 1) return not_bare(remote, move.branch);  // in a work tree that was added
  return {};
}

Status move_branch(::git_repository* there, const Remote& remote, const BranchMove& move, const std::string& lock) {
  git_oid id;
  git_oid expected{};  // zero: there must be no such branch, under the lock too
  if (!parse_id(move.commit, id)) return fail_last("push a commit", remote.name);
  (void)parse_id(move.expected, expected);
  const auto name = "refs/heads/" + move.branch;
  // A lock is a file of another process, whose end nobody tells: it is tried again, as git does.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(remote.lock_timeout_ms);
  int code = 0;
  while (true) {
    git_reference* moved = nullptr;
    code = git_reference_create_matching(&moved, there, name.c_str(), &id, 1, &expected, "mlopsd: push");
    git_reference_free(moved);
    if (code != GIT_ELOCKED || std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(kLockPause);
  }
  if (code == GIT_ELOCKED) return branch_locked(remote.name, lock);
  if (code == GIT_EMODIFIED || code == GIT_EEXISTS || code == GIT_ENOTFOUND) return push_conflict(remote, move.branch);
  if (code != 0) return fail_last("move the branch", remote.name);
  return {};
}

}  // namespace

Status push_to_folder(::git_repository* mirror, const Remote& remote, const std::string& folder,
                      const BranchMove& move) {
  ::git_repository* opened = nullptr;
  if (git_repository_open_ext(&opened, folder.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) {
    return fail_last("open the folder", remote.name);
  }
  const RepositoryHandle there(opened);
  MLOPS_TRY(check_target(opened, remote, move));
  const LockNote note(git_repository_path(mirror), remote.name);
  MLOPS_TRY(note.settle());

  git_oid tip;
  git_oid base;
  if (!parse_id(move.commit, tip)) return fail_last("push a commit", remote.name);
  MLOPS_ASSIGN(const auto objects, ObjectCopy::open(mirror, opened, remote));
  MLOPS_TRY(objects.copy(tip, parse_id(move.expected, base) ? &base : nullptr));

  const auto heads = fs::path(git_repository_commondir(opened)) / "refs" / "heads";
  const auto lock = (heads / (move.branch + ".lock")).string();
  MLOPS_TRY(note.begin(lock, move.commit));
  auto moved = move_branch(opened, remote, move, lock);
  give_access(heads, heads / move.branch);
  if (auto ended = note.end(); !ended) log::warn("git_note_kept", {{"slug", std::string_view(ended.error().slug)}});
  return moved;
}

}  // namespace mlops::git
