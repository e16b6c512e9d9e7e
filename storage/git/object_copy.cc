#include "storage/git/object_copy.h"

#include <sys/stat.h>

namespace mlops::git {
namespace {

namespace fs = std::filesystem;

constexpr auto kReadAndWrite = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                               fs::perms::group_write | fs::perms::others_read | fs::perms::others_write;

Result<OdbHandle> odb_of(::git_repository* repository, const Remote& remote) {
  git_odb* odb = nullptr;
  if (git_repository_odb(&odb, repository) != 0) return fail_last("open the objects", remote.name);
  return OdbHandle(odb);
}

}  // namespace

void give_access(const fs::path& top, const fs::path& path) {
  std::error_code error;
  const auto access = fs::status(top, error).permissions();
  if (error) return;
  auto at = top;
  for (const auto& part : path.lexically_relative(top)) {
    at /= part;
    const auto status = fs::symlink_status(at, error);
    if (fs::is_directory(status)) fs::permissions(at, access, error);
    if (!fs::is_regular_file(status)) continue;
    // An object is written once and for all, and has no right to write: it gets none.
    const bool is_fixed = (status.permissions() & fs::perms::owner_write) == fs::perms::none;
    const auto read = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
    fs::permissions(at, access & (is_fixed ? read : kReadAndWrite), error);
  }
}

Result<ObjectCopy> ObjectCopy::open(::git_repository* from, ::git_repository* to, const Remote& remote) {
  MLOPS_ASSIGN(auto source, odb_of(from, remote));
  MLOPS_ASSIGN(auto target, odb_of(to, remote));
  git_buf path{};
  if (git_repository_item_path(&path, to, GIT_REPOSITORY_ITEM_OBJECTS) != 0) return fail_last("open", remote.name);
  fs::path objects(path.ptr);
  git_buf_dispose(&path);
  return ObjectCopy(from, std::move(source), std::move(target), std::move(objects), remote);
}

Status ObjectCopy::copy(const git_oid& tip, const git_oid* base) const {
  git_revwalk* made = nullptr;
  if (git_revwalk_new(&made, from_) != 0) return failed();
  const WalkHandle walk(made);
  git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
  if (git_revwalk_push(walk.get(), &tip) != 0) return failed();
  TreeHandle known;
  if (base) {
    if (git_revwalk_hide(walk.get(), base) != 0) return failed();
    MLOPS_ASSIGN(known, tree_of(*base));
  }
  git_oid id;
  int code = 0;
  while ((code = git_revwalk_next(&id, walk.get())) == 0) {
    MLOPS_ASSIGN(auto tree, tree_of(id));
    MLOPS_TRY(copy_tree(tree.get(), known.get()));
    MLOPS_TRY(copy_object(id));
    known = std::move(tree);
  }
  if (code != GIT_ITEROVER) return failed();
  return {};
}

Result<TreeHandle> ObjectCopy::tree_of(const git_oid& commit) const {
  git_commit* found = nullptr;
  git_tree* tree = nullptr;
  if (git_commit_lookup(&found, from_, &commit) != 0) return failed();
  const CommitHandle held(found);
  if (git_commit_tree(&tree, held.get()) != 0) return failed();
  return TreeHandle(tree);
}

// `base`: a tree at the same path that is there with all it names, or nullptr.
Status ObjectCopy::copy_tree(git_tree* tree, git_tree* base) const {
  if (base && git_oid_equal(git_tree_id(tree), git_tree_id(base)) == 1) return {};
  for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
    MLOPS_TRY(copy_entry(git_tree_entry_byindex(tree, i), base));
  }
  return copy_object(*git_tree_id(tree));
}

Status ObjectCopy::copy_entry(const git_tree_entry* entry, git_tree* base) const {
  const auto* const id = git_tree_entry_id(entry);
  const auto* const known = base ? git_tree_entry_byname(base, git_tree_entry_name(entry)) : nullptr;
  if (known && git_oid_equal(git_tree_entry_id(known), id) == 1) return {};
  const auto type = git_tree_entry_type(entry);
  if (type == GIT_OBJECT_BLOB) return copy_object(*id);
  if (type != GIT_OBJECT_TREE) return {};  // a submodule's commit lies elsewhere
  git_tree* found = nullptr;
  if (git_tree_lookup(&found, from_, id) != 0) return failed();
  const TreeHandle below(found);
  TreeHandle below_base;
  if (known && git_tree_entry_type(known) == GIT_OBJECT_TREE) {
    git_tree* known_tree = nullptr;
    if (git_tree_lookup(&known_tree, from_, git_tree_entry_id(known)) != 0) return failed();
    below_base.reset(known_tree);
  }
  return copy_tree(below.get(), below_base.get());
}

Status ObjectCopy::copy_object(const git_oid& id) const {
  git_odb_object* found = nullptr;
  if (git_odb_read(&found, source_.get(), &id) != 0) return failed();
  const OdbObjectHandle read(found);
  git_oid written;
  if (git_odb_write(&written, target_.get(), git_odb_object_data(read.get()), git_odb_object_size(read.get()),
                    git_odb_object_type(read.get())) != 0) {
    return failed();
  }
  const auto hex = hex_of(id);
  give_access(objects_, objects_ / hex.substr(0, 2) / hex.substr(2));
  return {};
}

}  // namespace mlops::git
