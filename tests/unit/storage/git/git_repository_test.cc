// Mirrors and commits against real repositories in temporary folders.
#include "storage/git/git_repository.h"

#include <git2.h>
#include <malloc.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "storage/git/git_source.h"
#include "storage/git/git_writer.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::git;
namespace fs = std::filesystem;

namespace {

// A bare repository as a server would hold it, written through mirrors of its own.
class Place {
 public:
  Place() {
    std::string pattern = (fs::temp_directory_path() / "git_mirror_XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = fs::canonical(pattern);
    git_libgit2_init();
    git_repository* made = nullptr;
    REQUIRE(git_repository_init(&made, server().c_str(), 1) == 0);
    git_repository_free(made);
  }
  ~Place() {
    fs::remove_all(path);
    git_libgit2_shutdown();
  }
  std::string server() const { return (path / "server.git").string(); }
  std::unique_ptr<GitRepository> mirror(const std::string& name) const {
    auto opened =
        GitRepository::open((path / name).string(), {.name = name, .url = "file://" + server(), .lock_timeout_ms = 0});
    REQUIRE(opened);
    return std::move(*opened);
  }
  static void touch(const fs::path& file, const std::string& content = "") { std::ofstream(file) << content; }
  // Sets a branch of the server, as a force-push would.
  void set_branch(const std::string& branch, const std::string& commit) const {
    git_repository* opened = nullptr;
    REQUIRE(git_repository_open(&opened, server().c_str()) == 0);
    git_oid id;
    REQUIRE(git_oid_fromstr(&id, commit.c_str()) == 0);
    git_reference* set = nullptr;
    REQUIRE(git_reference_create(&set, opened, ("refs/heads/" + branch).c_str(), &id, 1, nullptr) == 0);
    git_reference_free(set);
    git_repository_free(opened);
  }
  fs::path path;
};

CommitWish wish(const std::string& parent, std::vector<TreeFile> files, const std::string& message = "m\n") {
  return {parent, std::move(files), {}, message, "A", "a@example.org", 1'700'000'000};
}

std::string pushed(GitRepository& mirror, const std::string& parent, std::vector<TreeFile> files,
                   const std::string& branch = "main") {
  GitWriter writer(mirror);
  const auto commit = writer.commit(wish(parent, std::move(files)));
  REQUIRE(commit);
  const auto done = writer.push(branch, *commit, branch == "main" ? parent : "");
  INFO((done ? std::string() : done.error().message));
  REQUIRE(done);
  return *commit;
}

}  // namespace

TEST_CASE("the first commit of an empty repository, then one on top, read back by another mirror") {
  const Place place;
  const auto writer = place.mirror("writer");
  REQUIRE(writer->fetch());
  CHECK(writer->head_of("main").error().slug == "branch_missing");
  const auto first = pushed(*writer, "", {{"prod/team/a.yaml", "x: 1\n"}});
  const auto second = pushed(*writer, first, {{"prod/team/b.yaml", "y: 2\n"}, {"top.txt", "t"}});

  const auto reader = place.mirror("reader");
  REQUIRE(reader->fetch());
  CHECK(*reader->head_of("main") == second);
  CHECK(*reader->read_file(second, "prod/team/a.yaml") == "x: 1\n");
  CHECK(reader->read_file(first, "prod/team/b.yaml").error().slug == "file_missing");
  const auto files = reader->read_files(second, "prod", {".yaml"});
  REQUIRE(files);
  REQUIRE(files->size() == 2);
  CHECK((*files)[1].path == "prod/team/b.yaml");
  CHECK(reader->read_files(second, "staging", {".yaml"}).error().slug == "file_missing");
  CHECK(reader->read_files(second, "top.txt", {".yaml"}).error().slug == "file_missing");
  CHECK(*reader->is_ancestor(first, second));
  CHECK_FALSE(*reader->is_ancestor(second, first));
  const auto log = reader->log(first, second, 10);
  REQUIRE(log);
  REQUIRE(log->size() == 1);
  CHECK((*log)[0].author_email == "a@example.org");
  CHECK(reader->log("", second, 10)->size() == 2);
}

TEST_CASE("a commit takes files away, and minds none that is not there") {
  const Place place;
  const auto mirror = place.mirror("one");
  const auto base = pushed(*mirror, "", {{"prod/a.yaml", "1"}, {"prod/b.yaml", "2"}});
  GitWriter writer(*mirror);
  auto next = wish(base, {{"prod/_releases/c.yaml", "3"}});
  next.removed = {"prod/a.yaml", "prod/absent.yaml", "nowhere/x.yaml"};
  const auto commit = writer.commit(next);
  if (!commit) FAIL(commit.error().message);
  CHECK(mirror->read_file(*commit, "prod/a.yaml").error().slug == "file_missing");
  CHECK(*mirror->read_file(*commit, "prod/b.yaml") == "2");
  CHECK(*mirror->read_file(*commit, "prod/_releases/c.yaml") == "3");
  // The last file of a folder takes the folder with it.
  auto last = wish(*commit, {{"top", "t"}});
  last.removed = {"prod/b.yaml", "prod/_releases/c.yaml"};
  const auto emptied = writer.commit(last);
  if (!emptied) FAIL(emptied.error().message);
  CHECK(mirror->read_file(*emptied, "prod/b.yaml").error().slug == "file_missing");
}

TEST_CASE("a branch that moved in between is not overwritten") {
  const Place place;
  const auto one = place.mirror("one");
  const auto two = place.mirror("two");
  const auto base = pushed(*one, "", {{"a", "1"}});
  REQUIRE(two->fetch());
  const auto theirs = pushed(*one, base, {{"a", "2"}});
  GitWriter writer(*two);
  const auto mine = writer.commit(wish(base, {{"b", "1"}}));
  REQUIRE(mine);
  const auto refused = writer.push("main", *mine, base);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "push_conflict");
  CHECK(writer.push("main", *mine, "").error().slug == "push_conflict");
  REQUIRE(two->fetch());
  CHECK(*two->head_of("main") == theirs);
  const auto anew = writer.commit(wish(theirs, {{"b", "1"}}));
  REQUIRE(writer.push("main", *anew, theirs));
  REQUIRE(one->fetch());
  CHECK(*one->is_ancestor(theirs, *one->head_of("main")));
  CHECK(*one->read_file(*one->head_of("main"), "a") == "2");
}

// One commit that is pushed, one on top that is not yet, and where the lock and the note of its push lie.
struct Pending {
  Place place;
  std::unique_ptr<GitRepository> mirror = place.mirror("one");
  std::string base = pushed(*mirror, "", {{"a", "1"}});
  std::string next = *GitWriter(*mirror).commit(wish(base, {{"a", "2"}}));
  fs::path heads = fs::path(place.server()) / "refs" / "heads";
  fs::path lock = heads / "main.lock";
  fs::path note = place.path / "one" / "mlopsd-locking";

  Status push() { return GitWriter(*mirror).push("main", next, base); }
  void noted(const fs::path& noted_lock) const { Place::touch(note, noted_lock.string() + "\n" + next + "\n"); }
  // A lock as a process leaves it that is killed.
  void locked(const std::string& content, std::chrono::seconds ago) const {
    Place::touch(lock, content);
    fs::last_write_time(lock, fs::file_time_type::clock::now() - ago);
  }
};

TEST_CASE("a branch that another process has locked is told by its lock, and moved when that is gone") {
  Pending pending;
  pending.locked("", std::chrono::hours(1));
  for (int again = 0; again < 2; ++again) {
    const auto refused = pending.push();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "branch_locked");
    CHECK(refused.error().message.find("main.lock") != std::string::npos);
  }
  fs::remove(pending.lock);
  REQUIRE(pending.push());
}

TEST_CASE("the lock that a killed process noted is removed") {
  Pending pending;
  pending.noted(pending.lock);
  SECTION("at once, when it holds what was noted") {
    pending.locked(pending.next + "\n", std::chrono::seconds(0));
  }
  SECTION("when it has been empty for some seconds") {
    pending.locked("", std::chrono::seconds(60));
  }
  SECTION("when it has been half written for some seconds") {
    pending.locked(pending.next.substr(0, 7), std::chrono::seconds(60));
  }
  REQUIRE(pending.push());
  CHECK_FALSE(fs::exists(pending.lock));
  CHECK_FALSE(fs::exists(pending.note));
}

TEST_CASE("a noted lock that may be another process's stays") {
  Pending pending;
  bool is_noted_still = false;
  SECTION("it holds another commit") {
    pending.noted(pending.lock);
    pending.locked(pending.base + "\n", std::chrono::hours(1));
  }
  SECTION("it is another branch's") {
    pending.noted(pending.heads / "other.lock");
    pending.locked(pending.next + "\n", std::chrono::hours(1));
  }
  SECTION("it is empty and young") {
    pending.noted(pending.lock);
    pending.locked("", std::chrono::seconds(0));
    is_noted_still = true;
  }
  const auto refused = pending.push();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "branch_locked");
  CHECK(fs::exists(pending.lock));
  CHECK(fs::exists(pending.note) == is_noted_still);
}

TEST_CASE("a noted lock is settled when the mirror is opened, whatever is pushed later") {
  Pending pending;
  pending.noted(pending.lock);
  pending.locked(pending.next + "\n", std::chrono::seconds(0));
  pending.mirror = pending.place.mirror("one");
  CHECK_FALSE(fs::exists(pending.lock));
  CHECK_FALSE(fs::exists(pending.note));

  // The remote is not mounted yet.
  pending.noted(pending.lock);
  pending.locked(pending.next + "\n", std::chrono::seconds(0));
  const auto away = pending.place.path / "away";
  fs::rename(pending.place.server(), away);
  pending.mirror = pending.place.mirror("one");
  CHECK(fs::exists(pending.note));
  fs::rename(away, pending.place.server());
  REQUIRE(pending.push());
}

TEST_CASE("a branch that is checked out, or is a name for another one, is not moved in a folder") {
  Pending pending;
  git_repository* opened = nullptr;
  REQUIRE(git_repository_open(&opened, pending.place.server().c_str()) == 0);
  std::string why;
  SECTION("a repository with a work tree") {
    git_config* config = nullptr;
    REQUIRE(git_repository_config(&config, opened) == 0);
    REQUIRE(git_config_set_bool(config, "core.bare", 0) == 0);
    git_config_free(config);
    fs::rename(pending.place.server(), pending.place.path / "tree");
    fs::create_directory(pending.place.server());
    fs::rename(pending.place.path / "tree", pending.place.server() + "/.git");
    why = "work tree";
  }
  SECTION("a work tree that was added") {
    git_reference* branch = nullptr;
    REQUIRE(git_reference_lookup(&branch, opened, "refs/heads/main") == 0);
    git_worktree_add_options options;
    git_worktree_add_options_init(&options, GIT_WORKTREE_ADD_OPTIONS_VERSION);
    options.ref = branch;
    git_worktree* added = nullptr;
    REQUIRE(git_worktree_add(&added, opened, "tree", (pending.place.path / "tree").c_str(), &options) == 0);
    git_worktree_free(added);
    git_reference_free(branch);
    why = "work tree";
  }
  SECTION("a symbolic reference") {
    pending.place.set_branch("real", pending.base);
    git_reference* made = nullptr;
    REQUIRE(git_reference_symbolic_create(&made, opened, "refs/heads/main", "refs/heads/real", 1, nullptr) == 0);
    git_reference_free(made);
    why = "another branch";
  }
  git_repository_free(opened);
  const auto refused = pending.push();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "push_refused");
  CHECK(refused.error().message.find(why) != std::string::npos);
}

TEST_CASE("what is made in a folder has the access of the folder, not of mlopsd's own files") {
  const Place place;
  const auto mirror = place.mirror("one");
  const auto open_to_all = fs::perms::all & ~fs::perms::others_write;
  const auto objects = fs::path(place.server()) / "objects";
  const auto heads = fs::path(place.server()) / "refs" / "heads";
  fs::permissions(objects, open_to_all);
  fs::permissions(heads, open_to_all);
  const auto mask = ::umask(077);
  const auto commit = pushed(*mirror, "", {{"a", "1"}}, "env/prod");
  ::umask(mask);
  const auto access = [](const fs::path& path) { return static_cast<int>(fs::status(path).permissions()); };
  CHECK(access(objects / commit.substr(0, 2)) == 0775);
  CHECK(access(objects / commit.substr(0, 2) / commit.substr(2)) == 0444);
  CHECK(access(heads / "env") == 0775);
  CHECK(access(heads / "env" / "prod") == 0664);
}

TEST_CASE("an object that no branch led to any more is kept from being collected") {
  Pending pending;
  REQUIRE(pending.push());
  const auto object = fs::path(pending.place.server()) / "objects" / pending.next.substr(0, 2) / pending.next.substr(2);
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24 * 30);
  fs::last_write_time(object, old);
  pending.place.set_branch("main", pending.base);
  REQUIRE(pending.push());
  CHECK(fs::last_write_time(object) > old + std::chrono::hours(24));
}

TEST_CASE("locks that a killed process left in a mirror are removed when it is opened") {
  const Place place;
  std::string base;
  {
    const auto mirror = place.mirror("one");
    base = pushed(*mirror, "", {{"a", "1"}});
    REQUIRE(mirror->fetch());
  }
  const auto two = place.mirror("two");
  REQUIRE(two->fetch());
  const auto theirs = pushed(*two, base, {{"a", "2"}});
  for (const char* name : {"refs/heads/main.lock", "config.lock", "packed-refs.lock"})
    place.touch(place.path / "one" / name);
  fs::create_directory(place.path / "one" / "odd.lock");  // hinders nobody
  const auto mirror = place.mirror("one");
  REQUIRE(mirror->fetch());
  CHECK(*mirror->head_of("main") == theirs);
  CHECK_FALSE(fs::exists(place.path / "one" / "objects" / "pack" / "pack_git2_1"));
}

TEST_CASE("what a commit names is copied whole: folders, and what other commits have already") {
  const Place place;
  const auto one = place.mirror("one");
  const auto base = pushed(*one, "", {{"a/b/c", "1"}, {"a/d", "2"}, {"e", "3"}});
  GitWriter writer(*one);
  const auto next = writer.commit(wish(base, {{"a/b/c", "2"}}));
  const auto last = writer.commit(wish(*next, {{"f/g", "1"}}));
  REQUIRE(writer.push("main", *last, base));
  const auto two = place.mirror("two");
  REQUIRE(two->fetch());
  CHECK(*two->read_file(*last, "a/b/c") == "2");
  CHECK(*two->read_file(*last, "a/d") == "2");
  CHECK(*two->read_file(*last, "f/g") == "1");
  CHECK(*two->read_file(base, "a/b/c") == "1");
  CHECK(two->log("", *last, 10)->size() == 3);
}

TEST_CASE("the same wish is the same commit") {
  const Place place;
  const auto mirror = place.mirror("m");
  GitWriter writer(*mirror);
  CHECK(*writer.commit(wish("", {{"a", "1"}})) == *writer.commit(wish("", {{"a", "1"}})));
  CHECK(*writer.commit(wish("", {{"a", "1"}})) != *writer.commit(wish("", {{"a", "2"}})));
}

TEST_CASE("what a force-push took away is known, but no branch leads to it") {
  const Place place;
  const auto mirror = place.mirror("m");
  const auto base = pushed(*mirror, "", {{"a", "1"}});
  const auto gone = pushed(*mirror, base, {{"a", "2"}});
  REQUIRE(mirror->fetch());
  CHECK(*mirror->branches_with(gone) == std::vector<std::string>{"main"});
  GitWriter writer(*mirror);
  const auto rewritten = writer.commit(wish(base, {{"a", "3"}}));
  pushed(*mirror, base, {{"c", "1"}}, "release/1");
  place.set_branch("main", base);
  REQUIRE(mirror->fetch());
  CHECK(*mirror->has_commit(gone));
  CHECK_FALSE(*mirror->is_ancestor(gone, *mirror->head_of("main")));
  CHECK(mirror->branches_with(gone)->empty());
  CHECK_FALSE(*mirror->is_reachable(gone));
  CHECK(*mirror->branches_with(base) == std::vector<std::string>{"main", "release/1"});
  CHECK_FALSE(*mirror->is_reachable(std::string(40, 'a')));
  CHECK_FALSE(*mirror->has_commit("main"));
}

TEST_CASE("no insteadOf of anybody's leads elsewhere") {
  const Place place;
  const auto mirror = place.mirror("one");
  const auto base = pushed(*mirror, "", {{"a", "1"}});
  std::ofstream(place.path / "one" / "config", std::ios::app)
      << "[url \"file:///nowhere/\"]\n\tinsteadOf = file://" << place.path.string() << "/\n";
  const auto again = place.mirror("one");
  REQUIRE(again->fetch());
  CHECK(*again->head_of("main") == base);
}

TEST_CASE("fetching again and again takes no more memory") {
  const Place place;
  const auto mirror = place.mirror("one");
  pushed(*mirror, "", {{"a", "1"}});
  REQUIRE(mirror->fetch());
  const auto before = ::mallinfo2().uordblks;
  constexpr std::size_t kTimes = 20;
  for (std::size_t i = 0; i < kTimes; ++i) REQUIRE(mirror->fetch());
  CHECK(::mallinfo2().uordblks < before + kTimes * (8u << 10));  // it was 100 KB a time
}

TEST_CASE("a repository that is not there says so, and what was fetched stays readable") {
  const Place place;
  const auto mirror = place.mirror("m");
  const auto commit = pushed(*mirror, "", {{"a", "1"}});
  REQUIRE(mirror->fetch());
  fs::rename(place.server(), place.server() + ".away");
  const auto refused = mirror->fetch();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "git_unreachable");
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(*mirror->read_file(commit, "a") == "1");
  fs::rename(place.server() + ".away", place.server());
  CHECK(mirror->fetch());
}

TEST_CASE("a server that takes no connection is told at once") {
  const Place place;
  const auto opened = GitRepository::open((place.path / "far").string(),
                                          {.name = "far", .url = "http://127.0.0.1:1/r.git", .timeout_s = 2});
  REQUIRE(opened);
  CHECK((*opened)->fetch().error().slug == "git_unreachable");
}

TEST_CASE("URLs that are accepted, and those that hold a secret or lead nowhere") {
  for (const char* url :
       {"https://h/a.git", "ssh://git@h:2222/a", "git@h:team/a.git", "file:///srv/a.git", "/srv/a.git"}) {
    INFO(url);
    CHECK(check_remote_url(url));
  }
  for (const char* url :
       {"https://u:p@h/a", "https://token@h/a", "https://h/a?token=x", "ssh://u:p@h/a", "ftp://h/a", "relative/path",
        "file://relative", "file:///srv/my%20r.git", "https:///a", "https://h/a b", ""}) {
    INFO(url);
    CHECK_FALSE(check_remote_url(url));
  }
}

TEST_CASE("two spellings of one repository are one") {
  const std::string want = "git.example.org/team/r";
  for (const char* url : {"https://git.example.org/team/r.git", "https://git.example.org:443/team/r/",
                          "ssh://git@git.example.org/team/r.git", "ssh://git.example.org:22/team/r",
                          "git@git.example.org:team/r.git", "https://u:p@GIT.example.org/team/r"}) {
    INFO(url);
    CHECK(normalised_url(url) == want);
  }
  CHECK(normalised_url("https://git.example.org:8443/team/r") != want);
  CHECK(normalised_url("https://git.example.org/team/R") != want);
  CHECK(normalised_url("file:///srv/git/r.git") == normalised_url("/srv/git/r/"));
  CHECK(normalised_url("").empty());
}
