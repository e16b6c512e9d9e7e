#include "storage/git/git_writer.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/git/transport.h"

namespace mlops::git {
namespace {

constexpr const char* kOutgoing = "refs/mlops/outgoing";
constexpr const char* kIncoming = "refs/mlops/incoming";

Failure conflict(const Remote& remote, const std::string& branch) {
  return fail(ErrorCode::kConflict, "push_conflict",
              fmt::format("the branch {} of {} moved while a commit was made for it", printable(branch), remote.name),
              "it is fetched and built anew");
}

struct Parent {
  CommitHandle commit;
  TreeHandle tree;
};

Result<Parent> read_parent(::git_repository* repository, const Remote& remote, const std::string& hex) {
  Parent parent;
  if (hex.empty()) return parent;
  git_oid id;
  git_commit* commit = nullptr;
  git_tree* tree = nullptr;
  if (!parse_id(hex, id) || git_commit_lookup(&commit, repository, &id) != 0)
    return fail_last("find a commit", remote.name);
  parent.commit.reset(commit);
  if (git_commit_tree(&tree, commit) != 0) return fail_last("read a tree", remote.name);
  parent.tree.reset(tree);
  return parent;
}

// The empty tree, on which a repository's first commit is built.
Result<TreeHandle> empty_tree(::git_repository* repository, const Remote& remote) {
  git_treebuilder* builder = nullptr;
  if (git_treebuilder_new(&builder, repository, nullptr) != 0) return fail_last("make a tree", remote.name);
  git_oid id;
  const int written = git_treebuilder_write(&id, builder);
  git_treebuilder_free(builder);
  git_tree* tree = nullptr;
  if (written != 0 || git_tree_lookup(&tree, repository, &id) != 0) return fail_last("make a tree", remote.name);
  return TreeHandle(tree);
}

Result<TreeHandle> new_tree(::git_repository* repository, const Remote& remote, git_tree* base,
                            const CommitWish& wish) {
  std::vector<git_tree_update> updates;
  for (const auto& path : wish.removed) {
    git_tree_entry* entry = nullptr;
    if (git_tree_entry_bypath(&entry, base, path.c_str()) != 0) continue;
    git_tree_entry_free(entry);
    updates.push_back({GIT_TREE_UPDATE_REMOVE, {}, GIT_FILEMODE_UNREADABLE, path.c_str()});
  }
  for (const auto& file : wish.files) {
    git_oid id;
    if (git_blob_create_from_buffer(&id, repository, file.content.data(), file.content.size()) != 0) {
      return fail_last("write a file", remote.name);
    }
    updates.push_back({GIT_TREE_UPDATE_UPSERT, id, GIT_FILEMODE_BLOB, file.path.c_str()});
  }
  git_oid tree_id;
  if (git_tree_create_updated(&tree_id, repository, base, updates.size(), updates.data()) != 0) {
    return fail_last("write files", remote.name);
  }
  git_tree* tree = nullptr;
  if (git_tree_lookup(&tree, repository, &tree_id) != 0) return fail_last("read a tree", remote.name);
  return TreeHandle(tree);
}

}  // namespace

Result<std::string> GitWriter::commit(const CommitWish& wish) {
  const std::lock_guard lock(repository_.mutex_);
  auto* const repository = repository_.handle_;
  const auto& remote = repository_.remote_;
  MLOPS_ASSIGN(auto parent, read_parent(repository, remote, wish.parent));
  if (!parent.tree) {
    MLOPS_ASSIGN(parent.tree, empty_tree(repository, remote));
  }
  MLOPS_ASSIGN(const auto tree, new_tree(repository, remote, parent.tree.get(), wish));
  git_signature* made = nullptr;
  if (git_signature_new(&made, wish.author_name.c_str(), wish.author_email.c_str(), wish.time_s, 0) != 0) {
    return fail_last("sign a commit", remote.name);
  }
  const SignatureHandle signature(made);
  const git_commit* parents[] = {parent.commit.get()};
  git_oid id;
  if (git_commit_create(&id, repository, nullptr, signature.get(), signature.get(), "UTF-8", wish.message.c_str(),
                        tree.get(), parent.commit ? 1 : 0, parents) != 0) {
    return fail_last("make a commit", remote.name);
  }
  return hex_of(id);
}

Status GitWriter::push_to(const std::string& specification) {
  const auto& remote = repository_.remote_;
  git_remote* made = nullptr;
  if (git_remote_create_anonymous(&made, repository_.handle_, remote.url.c_str()) != 0) {
    return fail_last("reach", remote.name);
  }
  const RemoteHandle connected(made);
  git_push_options options;
  git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
  Connection connection(remote);
  connection.fill(options.callbacks);
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts.type = GIT_PROXY_AUTO;
  auto text = specification;
  char* specs[] = {text.data()};
  const git_strarray wanted{specs, 1};
  const int code = git_remote_push(connected.get(), &wanted, &options);
  if (code == GIT_ENONFASTFORWARD) return conflict(remote, specification.substr(specification.rfind('/') + 1));
  if (code != 0) return connection_failure(connection, code, "push");
  if (connection.rejection.empty()) return {};
  // A server compares with what it told when the push began: somebody was faster. Anything else is its decision.
  const auto& why = connection.rejection;
  for (const char* word :
       {"non-fast-forward", "fetch first", "stale info", "failed to update ref", "cannot lock ref"}) {
    if (why.find(word) != why.npos) return conflict(remote, specification.substr(specification.rfind('/') + 1));
  }
  return fail(ErrorCode::kUnavailable, "push_refused",
              fmt::format("the git repository {} refuses the push: {}", remote.name, why),
              "see its branch protection and hooks");
}

// The transport of libgit2 to a folder sets a branch whatever it was by then; so the objects go under a name of their
// own, and the branch is moved under its lock.
Status GitWriter::move_local(const std::string& path, const std::string& branch, const std::string& commit,
                             const std::string& expected) {
  const auto& remote = repository_.remote_;
  MLOPS_TRY(push_to(fmt::format("+{}:{}", kOutgoing, kIncoming)));
  ::git_repository* opened = nullptr;
  if (git_repository_open_ext(&opened, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) {
    return fail_last("open", remote.name);
  }
  const RepositoryHandle there(opened);
  git_oid id;
  git_oid expected_id;
  if (!parse_id(commit, id)) return fail_last("push a commit", remote.name);
  const auto name = "refs/heads/" + branch;
  git_reference* moved = nullptr;
  const int code =
      parse_id(expected, expected_id)
          ? git_reference_create_matching(&moved, opened, name.c_str(), &id, 1, &expected_id, "mlopsd: push")
          : git_reference_create(&moved, opened, name.c_str(), &id, 0, "mlopsd: push");
  const ReferenceHandle reference(moved);
  (void)git_reference_remove(opened, kIncoming);
  if (code == GIT_EMODIFIED || code == GIT_EEXISTS || code == GIT_ELOCKED || code == GIT_ENOTFOUND) {
    return conflict(remote, branch);
  }
  if (code != 0) return fail_last("move the branch", remote.name);
  return {};
}

Status GitWriter::push(const std::string& branch, const std::string& commit, const std::string& expected) {
  const std::lock_guard lock(repository_.mutex_);
  MLOPS_TRY(check_answers(repository_.remote_));
  git_oid id;
  git_reference* made = nullptr;
  if (!parse_id(commit, id) ||
      git_reference_create(&made, repository_.handle_, kOutgoing, &id, 1, "mlopsd: push") != 0) {
    return fail_last("push a commit", repository_.remote_.name);
  }
  const ReferenceHandle outgoing(made);
  const auto path = local_path(repository_.remote_.url);
  if (!path.empty()) return move_local(path, branch, commit, expected);
  return push_to(fmt::format("{}:refs/heads/{}", kOutgoing, branch));
}

}  // namespace mlops::git
