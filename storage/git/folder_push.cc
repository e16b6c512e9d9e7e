#include "storage/git/folder_push.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/git/locks.h"
#include "storage/git/transport.h"

namespace mlops::git {
namespace {

// Copies between two object databases, of one mirror to one remote.
class ObjectCopy {
 public:
  ObjectCopy(::git_repository* mirror, git_odb* from, git_odb* to, const Remote& remote)
      : mirror_(mirror), from_(from), to_(to), remote_(remote) {}

  Status commits(const BranchMove& move) const {
    git_oid tip;
    git_oid base;
    git_revwalk* made = nullptr;
    if (!parse_id(move.commit, tip) || git_revwalk_new(&made, mirror_) != 0) return failed();
    const WalkHandle walk(made);
    git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
    if (git_revwalk_push(walk.get(), &tip) != 0) return failed();
    if (parse_id(move.expected, base) && git_revwalk_hide(walk.get(), &base) != 0) return failed();
    git_oid id;
    while (git_revwalk_next(&id, walk.get()) == 0) {
      git_commit* found = nullptr;
      if (git_commit_lookup(&found, mirror_, &id) != 0) return failed();
      const CommitHandle commit(found);
      MLOPS_TRY(tree(*git_commit_tree_id(commit.get())));
      MLOPS_TRY(object(id));
    }
    return {};
  }

 private:
  Status tree(const git_oid& id) const {
    if (git_odb_exists(to_, &id) == 1) return {};
    git_tree* found = nullptr;
    if (git_tree_lookup(&found, mirror_, &id) != 0) return failed();
    const TreeHandle tree_of(found);
    for (std::size_t i = 0; i < git_tree_entrycount(tree_of.get()); ++i) {
      const auto* const entry = git_tree_entry_byindex(tree_of.get(), i);
      const auto type = git_tree_entry_type(entry);
      if (type == GIT_OBJECT_TREE) MLOPS_TRY(tree(*git_tree_entry_id(entry)));
      if (type == GIT_OBJECT_BLOB) MLOPS_TRY(object(*git_tree_entry_id(entry)));
    }
    return object(id);
  }

  Status object(const git_oid& id) const {
    if (git_odb_exists(to_, &id) == 1) return {};
    git_odb_object* found = nullptr;
    if (git_odb_read(&found, from_, &id) != 0) return failed();
    const OdbObjectHandle read(found);
    git_oid written;
    if (git_odb_write(&written, to_, git_odb_object_data(read.get()), git_odb_object_size(read.get()),
                      git_odb_object_type(read.get())) != 0) {
      return failed();
    }
    return {};
  }

  Failure failed() const { return fail_last("copy objects", remote_.name); }

  ::git_repository* mirror_;
  git_odb* from_;
  git_odb* to_;
  const Remote& remote_;
};

Result<OdbHandle> odb_of(::git_repository* repository, const Remote& remote) {
  git_odb* odb = nullptr;
  if (git_repository_odb(&odb, repository) != 0) return fail_last("open the objects", remote.name);
  return OdbHandle(odb);
}

Failure locked(const Remote& remote, const std::string& branch, const std::string& lock) {
  return fail(ErrorCode::kUnavailable, "branch_locked",
              fmt::format("the branch {} of {} is locked by {}", printable(branch), remote.name, printable(lock)),
              "a git process works on it; when none does, it was cut off: remove that file");
}

Status move_branch(::git_repository* there, const Remote& remote, const BranchMove& move, const std::string& lock) {
  git_oid id;
  git_oid expected;
  if (!parse_id(move.commit, id)) return fail_last("push a commit", remote.name);
  const auto name = "refs/heads/" + move.branch;
  constexpr const char* kReason = "mlopsd: push";
  git_reference* moved = nullptr;
  const int code = parse_id(move.expected, expected)
                       ? git_reference_create_matching(&moved, there, name.c_str(), &id, 1, &expected, kReason)
                       : git_reference_create(&moved, there, name.c_str(), &id, 0, kReason);
  const ReferenceHandle reference(moved);
  if (code == GIT_ELOCKED) return locked(remote, move.branch, lock);
  if (code == GIT_EMODIFIED || code == GIT_EEXISTS || code == GIT_ENOTFOUND) return push_conflict(remote, move.branch);
  if (code != 0) return fail_last("move the branch", remote.name);
  return {};
}

}  // namespace

Status push_to_folder(::git_repository* mirror, const Remote& remote, const std::string& folder,
                      const BranchMove& move) {
  ::git_repository* opened = nullptr;
  if (git_repository_open_ext(&opened, folder.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) {
    return fail_last("open", remote.name);
  }
  const RepositoryHandle there(opened);
  MLOPS_ASSIGN(const auto from, odb_of(mirror, remote));
  MLOPS_ASSIGN(const auto to, odb_of(opened, remote));
  MLOPS_TRY(ObjectCopy(mirror, from.get(), to.get(), remote).commits(move));
  const auto lock = fmt::format("{}refs/heads/{}.lock", git_repository_commondir(opened), move.branch);
  const LockNote note(git_repository_path(mirror), lock);
  MLOPS_TRY(note.begin());
  auto moved = move_branch(opened, remote, move, lock);
  MLOPS_TRY(note.end());
  return moved;
}

}  // namespace mlops::git
