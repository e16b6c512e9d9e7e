#include "storage/git/git_source.h"

#include <git2.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"

// libgit2 1.5 keeps what it matched an entry of a configuration with when that does not match (git_remote_lookup).
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpcre2\n";
}

using namespace mlops;
using namespace mlops::git;
namespace fs = std::filesystem;

namespace {

// A repository made with libgit2 itself, so that the test needs no git program and no user's configuration.
class TestRepository {
 public:
  TestRepository() {
    std::string pattern = (fs::temp_directory_path() / "git_test_XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    git_libgit2_init();
    REQUIRE(git_repository_init(&repository_, path.c_str(), 0) == 0);
    REQUIRE(git_repository_set_head(repository_, "refs/heads/trunk") == 0);
  }
  ~TestRepository() {
    git_repository_free(repository_);
    git_libgit2_shutdown();
    fs::remove_all(path);
  }

  void write(const std::string& name, const std::string& content) {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << content;
  }

  std::string commit_all() {
    git_index* index = nullptr;
    REQUIRE(git_repository_index(&index, repository_) == 0);
    REQUIRE(git_index_add_all(index, nullptr, 0, nullptr, nullptr) == 0);
    git_oid tree_id, commit_id;
    REQUIRE(git_index_write(index) == 0);
    REQUIRE(git_index_write_tree(&tree_id, index) == 0);
    git_tree* tree = nullptr;
    REQUIRE(git_tree_lookup(&tree, repository_, &tree_id) == 0);
    git_signature* author = nullptr;
    REQUIRE(git_signature_new(&author, "A", "a@example.org", 1'700'000'000, 0) == 0);
    REQUIRE(git_commit_create(&commit_id, repository_, "HEAD", author, author, nullptr, "m", tree, 0, nullptr) == 0);
    git_signature_free(author);
    git_tree_free(tree);
    git_index_free(index);
    return git_oid_tostr_s(&commit_id);
  }

  void add_remote(const char* name, const char* url) {
    git_remote* remote = nullptr;
    REQUIRE(git_remote_create(&remote, repository_, name, url) == 0);
    git_remote_free(remote);
  }

  void detach(const std::string& commit) {
    git_oid id;
    REQUIRE(git_oid_fromstr(&id, commit.c_str()) == 0);
    REQUIRE(git_repository_set_head_detached(repository_, &id) == 0);
  }

  fs::path path;

 private:
  git_repository* repository_ = nullptr;
};

}  // namespace

TEST_CASE("commit, branch and clean state, found from a folder below") {
  TestRepository repository;
  repository.write("src/train.py", "x = 1\n");
  const std::string commit = repository.commit_all();
  const auto source = read_git_source((repository.path / "src").string());
  REQUIRE(source);
  CHECK(source->commit == commit);
  CHECK(source->commit.size() == 40);
  CHECK(source->branch == "trunk");
  CHECK(source->remote.empty());
  CHECK_FALSE(source->dirty);
}

TEST_CASE("changed, staged and untracked files make it dirty, ignored ones do not") {
  TestRepository repository;
  repository.write("a", "1\n");
  repository.write(".gitignore", "*.tmp\n");
  repository.commit_all();
  const auto dirty = [&] { return read_git_source(repository.path.string())->dirty; };
  repository.write("x.tmp", "");
  CHECK_FALSE(dirty());
  repository.write("new/b", "");
  CHECK(dirty());
  fs::remove_all(repository.path / "new");
  CHECK_FALSE(dirty());
  repository.write("a", "changed\n");
  CHECK(dirty());
  fs::remove(repository.path / "a");
  CHECK(dirty());
}

TEST_CASE("origin goes before other remotes, and credentials stay behind") {
  TestRepository repository;
  repository.write("a", "1\n");
  repository.commit_all();
  repository.add_remote("backup", "ssh://git@backup.example.org/r.git");
  CHECK(read_git_source(repository.path.string())->remote == "ssh://backup.example.org/r.git");
  repository.add_remote("origin", "https://ci:s3cret@git.example.org:8443/team/r.git?token=s3cret");
  CHECK(read_git_source(repository.path.string())->remote == "https://git.example.org:8443/team/r.git");
}

TEST_CASE("a detached head has no branch") {
  TestRepository repository;
  repository.write("a", "1\n");
  const std::string commit = repository.commit_all();
  repository.detach(commit);
  const auto source = read_git_source(repository.path.string());
  REQUIRE(source);
  CHECK(source->branch.empty());
  CHECK(source->commit == commit);
}

TEST_CASE("no commit, no repository, no folder: each says so") {
  TestRepository repository;
  const auto unborn = read_git_source(repository.path.string());
  REQUIRE_FALSE(unborn);
  CHECK(unborn.error().slug == "git_no_commit");
  CHECK(unborn.error().code == ErrorCode::kInvalid);
  for (const char* folder : {"/", "/no/such/folder"}) {
    const auto source = read_git_source(folder);
    REQUIRE_FALSE(source);
    CHECK(source.error().slug == "not_a_git_repository");
    CHECK(source.error().code == ErrorCode::kNotFound);
    CHECK_FALSE(source.error().hint.empty());
  }
}

TEST_CASE("a repository of another user is named as such") {
  if (::geteuid() != 0) return;  // only root can give a folder away
  TestRepository repository;
  repository.write("a", "1\n");
  repository.commit_all();
  for (const auto& entry : fs::recursive_directory_iterator(repository.path))
    REQUIRE(::lchown(entry.path().c_str(), 12345, 12345) == 0);
  REQUIRE(::chown(repository.path.c_str(), 12345, 12345) == 0);
  const auto source = read_git_source(repository.path.string());
  REQUIRE_FALSE(source);
  CHECK(source.error().slug == "git_owner");
  CHECK(source.error().hint.find("safe.directory") != std::string::npos);
}

TEST_CASE("credentials are cut out of every form of URL") {
  CHECK(without_credentials("https://github.com/a/b.git") == "https://github.com/a/b.git");
  CHECK(without_credentials("https://u@h/a") == "https://h/a");
  CHECK(without_credentials("https://u:p@h:8443/a?access_token=p#p") == "https://h:8443/a");
  CHECK(without_credentials("https://u:p@x@h/a") == "https://h/a");
  CHECK(without_credentials("https://u:p/w@h/a") == "https://h/a");
  CHECK(without_credentials("https://h:8443/@scope/a") == "https://h:8443/@scope/a");
  CHECK(without_credentials("https://[::1]/@scope/a") == "https://[::1]/@scope/a");
  CHECK(without_credentials("ssh://git:p@h:22/a") == "ssh://h:22/a");
  CHECK(without_credentials("git@github.com:a/b.git") == "github.com:a/b.git");
  CHECK(without_credentials("../a@b/c") == "../a@b/c");
  CHECK(without_credentials("").empty());
}
