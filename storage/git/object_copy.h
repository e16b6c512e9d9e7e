// Copies commits with all they name between two repositories on this machine. Private to storage/git.
// Errors: "git_error". Thread-safety: one thread; the caller's locks guard both repositories' handles.
#pragma once

#include <filesystem>
#include <string>

#include "storage/git/git_repository.h"
#include "storage/git/handles.h"

namespace mlops::git {

// Gives what was made below `top` the access that `top` has: mlopsd's umask is for data of its own. `path` is below
// `top`; what belongs to somebody else stays as it is.
void give_access(const std::filesystem::path& top, const std::filesystem::path& path);

class ObjectCopy {
 public:
  // `remote` names `to` in messages; all three outlive the copy.
  static Result<ObjectCopy> open(::git_repository* from, ::git_repository* to, const Remote& remote);

  // Commits that lead to `tip` and not to `base` (both in `from`; nullptr: all), oldest first. What the tree of `base`
  // holds is there; all else is written, or kept from being collected where it is there already.
  Status copy(const git_oid& tip, const git_oid* base) const;

 private:
  ObjectCopy(::git_repository* from, OdbHandle source, OdbHandle target, std::filesystem::path objects,
             const Remote& remote)
      : from_(from),
        source_(std::move(source)),
        target_(std::move(target)),
        objects_(std::move(objects)),
        remote_(remote) {}

  Result<TreeHandle> tree_of(const git_oid& commit) const;
  Status copy_tree(git_tree* tree, git_tree* base) const;
  Status copy_entry(const git_tree_entry* entry, git_tree* base) const;
  Status copy_object(const git_oid& id) const;
  Failure failed() const { return fail_last("copy objects", remote_.name); }

  ::git_repository* from_;
  OdbHandle source_;
  OdbHandle target_;
  std::filesystem::path objects_;  // the folder of the target's
  const Remote& remote_;
};

}  // namespace mlops::git
