#include "storage/git/git_repository.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "storage/git/locks.h"
#include "storage/git/transport.h"

namespace mlops::git {
namespace {

constexpr std::size_t kFileLimitBytes = 1u << 20;
constexpr std::size_t kFilesMax = 2000;
constexpr std::string_view kBranchPrefix = "refs/heads/";

Failure commit_missing(const Remote& remote, std::string_view commit) {
  return fail(ErrorCode::kNotFound, "commit_missing",
              fmt::format("the git repository {} has no commit {}", remote.name, printable(commit)),
              "give the 40 digits of a commit that was pushed: git rev-parse HEAD");
}

Failure file_missing(const Remote& remote, std::string_view commit, std::string_view path) {
  return fail(ErrorCode::kNotFound, "file_missing",
              fmt::format("{}@{} has no {}", remote.name, commit.substr(0, 12), printable(path)),
              "see that the path is as it stands in the repository, and that it was committed");
}

Result<CommitHandle> find_commit(::git_repository* repository, const Remote& remote, const std::string& commit) {
  git_oid id;
  git_commit* found = nullptr;
  if (!parse_id(commit, id) || git_commit_lookup(&found, repository, &id) != 0) return commit_missing(remote, commit);
  return CommitHandle(found);
}

Result<TreeHandle> tree_of(::git_repository* repository, const Remote& remote, const std::string& commit) {
  MLOPS_ASSIGN(const auto found, find_commit(repository, remote, commit));
  git_tree* tree = nullptr;
  if (git_commit_tree(&tree, found.get()) != 0) return fail_last("read a tree", remote.name);
  return TreeHandle(tree);
}

Result<std::string> read_blob(::git_repository* repository, const Remote& remote, const git_oid& id,
                              const std::string& path) {
  git_blob* found = nullptr;
  if (git_blob_lookup(&found, repository, &id) != 0) return fail_last("read " + printable(path), remote.name);
  const BlobHandle blob(found);
  const auto size_bytes = static_cast<std::size_t>(git_blob_rawsize(blob.get()));
  if (size_bytes > kFileLimitBytes) {
    return fail(ErrorCode::kExhausted, "file_too_large",
                fmt::format("{} in {} has more than {}", printable(path), remote.name, human_size(kFileLimitBytes)));
  }
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())), size_bytes);
}

// A walk over a tree that collects the regular files with a suffix.
struct Collected {
  const std::vector<std::string_view>& suffixes;
  std::string folder;
  std::vector<std::pair<std::string, git_oid>> files;
};

int collect(const char* root, const git_tree_entry* entry, void* payload) {
  auto& into = *static_cast<Collected*>(payload);
  const auto mode = git_tree_entry_filemode(entry);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return 0;
  const std::string_view name = git_tree_entry_name(entry);
  const bool wanted = std::any_of(into.suffixes.begin(), into.suffixes.end(),
                                  [&](std::string_view suffix) { return name.ends_with(suffix); });
  if (!wanted) return 0;
  into.files.emplace_back(into.folder + root + std::string(name), *git_tree_entry_id(entry));
  return into.files.size() > kFilesMax ? GIT_EUSER : 0;
}

// The ids that references of one kind lead to, with their short names. `glob` e.g. "refs/heads/*".
Result<std::vector<std::pair<std::string, git_oid>>> tips(::git_repository* repository, const Remote& remote,
                                                          const char* glob) {
  git_reference_iterator* made = nullptr;
  if (git_reference_iterator_glob_new(&made, repository, glob) != 0) return fail_last("list branches", remote.name);
  const IteratorHandle iterator(made);
  std::vector<std::pair<std::string, git_oid>> out;
  git_reference* next = nullptr;
  while (git_reference_next(&next, iterator.get()) == 0) {
    const ReferenceHandle reference(next);
    git_object* peeled = nullptr;
    if (git_reference_peel(&peeled, reference.get(), GIT_OBJECT_COMMIT) != 0) continue;
    out.emplace_back(git_reference_shorthand(reference.get()), *git_object_id(peeled));
    git_object_free(peeled);
  }
  return out;
}

bool leads_to(::git_repository* repository, const git_oid& tip, const git_oid& commit) {
  return git_oid_equal(&tip, &commit) == 1 || git_graph_descendant_of(repository, &tip, &commit) == 1;
}

}  // namespace

Status trust(const std::string& ca_file) {
  init_library();
  if (git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file.c_str(), nullptr) == 0) return {};
  return fail(ErrorCode::kInvalid, "unusable_ca_file", fmt::format("git.ca_file cannot be used: {}", last_reason()),
              "it is a PEM file that mlopsd may read");
}

Result<std::unique_ptr<GitRepository>> GitRepository::open(const std::string& folder, Remote remote) {
  init_library();
  MLOPS_TRY(check_remote_url(remote.url));
  remove_leftovers(folder);
  // What cannot be settled yet is, at the latest, before the next push.
  if (auto settled = LockNote(folder, remote.name).settle(); !settled) {
    log::warn("git_lock_kept",
              {{"repository", std::string_view(remote.name)}, {"slug", std::string_view(settled.error().slug)}});
  }
  ::git_repository* handle = nullptr;
  if (git_repository_open_ext(&handle, folder.c_str(), GIT_REPOSITORY_OPEN_BARE | GIT_REPOSITORY_OPEN_NO_SEARCH,
                              nullptr) != 0 &&
      git_repository_init(&handle, folder.c_str(), 1) != 0) {
    return fail_last("open the mirror", remote.name);
  }
  return std::unique_ptr<GitRepository>(new GitRepository(handle, std::move(remote)));
}

GitRepository::~GitRepository() {
  git_repository_free(handle_);
}

Status GitRepository::fetch() {
  const std::lock_guard lock(mutex_);
  MLOPS_TRY(check_answers(remote_));
  MLOPS_ASSIGN(const auto connected, remote_of(handle_, remote_));
  git_fetch_options options;
  git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
  Connection connection(remote_);
  connection.fill(options.callbacks);
  options.prune = GIT_FETCH_PRUNE;
  options.update_fetchhead = 0;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;  // they come by their own specification
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;    // destinations come from the configuration alone
  options.proxy_opts.type = GIT_PROXY_AUTO;
  std::string branches = "+refs/heads/*:refs/heads/*";
  std::string tags = "+refs/tags/*:refs/tags/*";
  char* specs[] = {branches.data(), tags.data()};
  const git_strarray wanted{specs, 2};
  const int code = git_remote_fetch(connected.get(), &wanted, &options, nullptr);
  if (code != 0) return connection_failure(connection, code, "fetch");
  return {};
}

Result<std::string> GitRepository::state() {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const char* glob : {"refs/heads/*", "refs/tags/*"}) {
    MLOPS_ASSIGN(const auto found, tips(handle_, remote_, glob));
    for (const auto& [name, tip] : found) text += fmt::format("{} {} {}\n", glob, name, hex_of(tip));
  }
  return text;
}

Result<std::string> GitRepository::head_of(const std::string& branch) {
  const std::lock_guard lock(mutex_);
  git_oid id;
  const auto name = std::string(kBranchPrefix) + branch;
  if (git_reference_name_to_id(&id, handle_, name.c_str()) == 0) return hex_of(id);
  return fail(ErrorCode::kNotFound, "branch_missing",
              fmt::format("the git repository {} has no branch {}", remote_.name, printable(branch)),
              "push the branch, or name another one in mlopsd's repositories file");
}

Result<bool> GitRepository::has_commit(const std::string& commit) {
  const std::lock_guard lock(mutex_);
  return find_commit(handle_, remote_, commit).has_value();
}

Result<bool> GitRepository::is_ancestor(const std::string& commit, const std::string& tip) {
  const std::lock_guard lock(mutex_);
  git_oid commit_id;
  git_oid tip_id;
  if (!parse_id(commit, commit_id) || !parse_id(tip, tip_id)) return false;
  if (!find_commit(handle_, remote_, commit)) return false;
  return leads_to(handle_, tip_id, commit_id);
}

Result<std::vector<std::string>> GitRepository::branches_with(const std::string& commit) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  git_oid id;
  if (!parse_id(commit, id) || !find_commit(handle_, remote_, commit)) return out;
  MLOPS_ASSIGN(const auto branches, tips(handle_, remote_, "refs/heads/*"));
  for (const auto& [name, tip] : branches) {
    if (leads_to(handle_, tip, id)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<bool> GitRepository::is_reachable(const std::string& commit) {
  const std::lock_guard lock(mutex_);
  git_oid id;
  if (!parse_id(commit, id) || !find_commit(handle_, remote_, commit)) return false;
  for (const char* glob : {"refs/heads/*", "refs/tags/*"}) {
    MLOPS_ASSIGN(const auto found, tips(handle_, remote_, glob));
    for (const auto& [name, tip] : found) {
      if (leads_to(handle_, tip, id)) return true;
    }
  }
  return false;
}

Result<std::string> GitRepository::read_file(const std::string& commit, const std::string& path) {
  const std::lock_guard lock(mutex_);
  MLOPS_ASSIGN(const auto tree, tree_of(handle_, remote_, commit));
  git_tree_entry* found = nullptr;
  if (git_tree_entry_bypath(&found, tree.get(), path.c_str()) != 0) return file_missing(remote_, commit, path);
  const EntryHandle entry(found);
  if (git_tree_entry_type(entry.get()) != GIT_OBJECT_BLOB) return file_missing(remote_, commit, path);
  return read_blob(handle_, remote_, *git_tree_entry_id(entry.get()), path);
}

Result<std::vector<TreeFile>> GitRepository::read_files(const std::string& commit, const std::string& folder,
                                                        const std::vector<std::string_view>& suffixes) {
  const std::lock_guard lock(mutex_);
  MLOPS_ASSIGN(auto tree, tree_of(handle_, remote_, commit));
  Collected collected{suffixes, folder.empty() ? "" : folder + "/", {}};
  if (!folder.empty()) {
    git_tree_entry* found = nullptr;
    if (git_tree_entry_bypath(&found, tree.get(), folder.c_str()) != 0) return file_missing(remote_, commit, folder);
    const EntryHandle entry(found);
    git_tree* below = nullptr;
    if (git_tree_lookup(&below, handle_, git_tree_entry_id(entry.get())) != 0) {
      return file_missing(remote_, commit, folder + "/");
    }
    tree.reset(below);
  }
  const int code = git_tree_walk(tree.get(), GIT_TREEWALK_PRE, collect, &collected);
  if (collected.files.size() > kFilesMax) {
    return fail(ErrorCode::kExhausted, "too_many_files",
                fmt::format("{} has more than {} such files below {}", remote_.name, kFilesMax, printable(folder)));
  }
  if (code != 0) return fail_last("list the files", remote_.name);
  std::vector<TreeFile> out;
  for (const auto& [path, id] : collected.files) {
    MLOPS_ASSIGN(auto content, read_blob(handle_, remote_, id, path));
    out.push_back({path, std::move(content)});
  }
  std::sort(out.begin(), out.end(), [](const TreeFile& a, const TreeFile& b) { return a.path < b.path; });
  return out;
}

Result<std::vector<CommitInfo>> GitRepository::log(const std::string& base, const std::string& tip, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  git_oid tip_id;
  git_oid base_id;
  git_revwalk* made = nullptr;
  if (!parse_id(tip, tip_id)) return commit_missing(remote_, tip);
  if (git_revwalk_new(&made, handle_) != 0) return fail_last("walk the history", remote_.name);
  const WalkHandle walk(made);
  git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL);
  if (git_revwalk_push(walk.get(), &tip_id) != 0) return commit_missing(remote_, tip);
  if (parse_id(base, base_id)) (void)git_revwalk_hide(walk.get(), &base_id);
  std::vector<CommitInfo> out;
  git_oid id;
  while (out.size() < limit && git_revwalk_next(&id, walk.get()) == 0) {
    git_commit* found = nullptr;
    if (git_commit_lookup(&found, handle_, &id) != 0) return fail_last("read a commit", remote_.name);
    const CommitHandle commit(found);
    const auto* author = git_commit_author(commit.get());
    out.push_back({hex_of(id), author && author->name ? author->name : "", author && author->email ? author->email : "",
                   git_commit_message(commit.get()) ? git_commit_message(commit.get()) : "",
                   static_cast<std::int64_t>(git_commit_time(commit.get()))});
  }
  return out;
}

}  // namespace mlops::git
