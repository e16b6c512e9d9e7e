#include "storage/git/git_writer.h"

#include <fmt/format.h>

#include "storage/git/folder_push.h"
#include "storage/git/transport.h"

namespace mlops::git {
namespace {

constexpr const char* kOutgoing = "refs/mlops/outgoing";

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
  MLOPS_ASSIGN(const auto connected, remote_of(repository_.handle_, remote));
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
  if (code == GIT_ENONFASTFORWARD) return push_conflict(remote, specification.substr(specification.rfind('/') + 1));
  if (code != 0) return connection_failure(connection, code, "push");
  if (connection.rejection.empty()) return {};
  // A server compares with what it told when the push began: somebody was faster. Anything else is its decision.
  const auto& why = connection.rejection;
  for (const char* word :
       {"non-fast-forward", "fetch first", "stale info", "failed to update ref", "cannot lock ref"}) {
    if (why.find(word) != why.npos) return push_conflict(remote, specification.substr(specification.rfind('/') + 1));
  }
  return fail(ErrorCode::kUnavailable, "push_refused",
              fmt::format("the git repository {} refuses the push: {}", remote.name, why),
              "see its branch protection and hooks");
}

Status GitWriter::push(const std::string& branch, const std::string& commit, const std::string& expected) {
  const std::lock_guard lock(repository_.mutex_);
  MLOPS_TRY(check_answers(repository_.remote_));
  const auto folder = local_path(repository_.remote_.url);
  if (!folder.empty()) {
    return push_to_folder(repository_.handle_, repository_.remote_, folder, {branch, commit, expected});
  }
  git_oid id;
  git_reference* made = nullptr;
  if (!parse_id(commit, id) ||
      git_reference_create(&made, repository_.handle_, kOutgoing, &id, 1, "mlopsd: push") != 0) {
    return fail_last("push a commit", repository_.remote_.name);
  }
  const ReferenceHandle outgoing(made);
  return push_to(fmt::format("{}:refs/heads/{}", kOutgoing, branch));
}

}  // namespace mlops::git
