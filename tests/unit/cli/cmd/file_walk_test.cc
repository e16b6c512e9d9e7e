// The walk of a directory by several threads: its order, its errors and its limits do not show the threads.
#include "cli/cmd/file_walk.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

std::vector<std::string> paths_of(const Walk& walk) {
  std::vector<std::string> paths;
  for (const auto& file : walk.files) paths.push_back(file.path);
  return paths;
}

std::string slug_of(const std::string& path) {
  const auto walk = walk_artifact(path);
  return walk ? "" : walk.error().slug;
}

void make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  ::close(file);
}

// Directories of 250-byte names in each other.
void make_deep(const std::string& path, int levels) {
  const std::string name(250, 'd');
  int at = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < levels; ++i) {
    REQUIRE(::mkdirat(at, name.c_str(), 0700) == 0);
    const int below = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = below;
  }
  ::close(at);
}

}  // namespace

TEST_CASE("walk: the order is that of the paths' bytes, not of names level by level") {
  TemporaryDirectory dir;
  for (const auto& path : {".x", "a b", "a.b/d/e", "a.b/c", "a0", "a/b.c", "a/b", "a~", "é/b"}) dir.write(path, "1");
  for (const auto& path : {"a ", "z/y", "a/0"}) std::filesystem::create_directories(dir.path(path));
  const auto walk = walk_artifact(dir.path());
  REQUIRE(walk);
  CHECK(paths_of(*walk) ==
        std::vector<std::string>{".x", "a b", "a.b/c", "a.b/d/e", "a/b", "a/b.c", "a0", "a~", "é/b"});
  CHECK(walk->empty_directories == std::vector<std::string>{"a /", "a/0/", "z/y/"});
}

TEST_CASE("walk: a random tree is what the file system says, each time alike") {
  TemporaryDirectory dir;
  std::mt19937 random(5);
  for (int i = 0; i < 150; ++i) {
    std::string path;
    for (auto depth = random() % 4; depth > 0; --depth)
      path += std::string(1 + random() % 2, "ab.-"[random() % 4]) + "_/";
    dir.write(path + "f" + std::to_string(random() % 50), std::string(random() % 9, 'x'));
  }
  std::vector<std::string> expected;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
    if (entry.is_regular_file()) expected.push_back(entry.path().string().substr(dir.path().size() + 1));
  }
  std::sort(expected.begin(), expected.end());
  for (int round = 0; round < 5; ++round) {
    const auto walk = walk_artifact(dir.path());
    REQUIRE(walk);
    CHECK(paths_of(*walk) == expected);
    std::uint64_t size_bytes = 0;
    for (const auto& file : walk->files) {
      struct stat info {};
      REQUIRE(::lstat(source_of(*walk, file).c_str(), &info) == 0);
      const FileStat stat{static_cast<std::uint64_t>(info.st_size),
                          info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
                          info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec, info.st_ino, info.st_dev};
      if (file.stat != stat || file.size_bytes != stat.size_bytes) FAIL(file.path);
      size_bytes += file.size_bytes;
    }
    CHECK(walk->size_bytes == size_bytes);
  }
}

TEST_CASE("walk: a directory of more than a batch is shared between threads and stays in order") {
  TemporaryDirectory dir;
  constexpr int kFiles = 1100;
  for (int i = 0; i < kFiles; ++i) make_file(dir.path(std::to_string(i)));
  const auto walk = walk_artifact(dir.path());
  REQUIRE(walk);
  CHECK(walk->files.size() == kFiles);
  CHECK(std::is_sorted(walk->files.begin(), walk->files.end(),
                       [](const auto& a, const auto& b) { return a.path < b.path; }));
  std::filesystem::create_symlink("0", dir.path("444a"));
  std::filesystem::create_symlink("0", dir.path("5a"));
  const auto refused = walk_artifact(dir.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("/444a is a symbolic link") != std::string::npos);
}

TEST_CASE("walk: of several errors the first by path is told, however often one asks") {
  TemporaryDirectory dir;
  for (const char* path : {"a/f", "c/f", "d/e/f", "z"}) dir.write(path, "1");
  REQUIRE(::mkfifo(dir.path("c/pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("f", dir.path("d/e/link"));
  dir.write("d/back\\slash", "1");
  for (int round = 0; round < 20; ++round) CHECK(slug_of(dir.path()) == "not_a_file");
  std::filesystem::remove(dir.path("c/pipe"));
  for (int round = 0; round < 20; ++round) CHECK(slug_of(dir.path()) == "bad_path");
  std::filesystem::remove(dir.path("d/back\\slash"));
  for (int round = 0; round < 20; ++round) CHECK(slug_of(dir.path()) == "symlink_refused");
  std::filesystem::remove(dir.path("d/e/link"));
  CHECK(slug_of(dir.path()).empty());
}

TEST_CASE("walk: names that no artifact can have") {
  for (const std::string name : {"back\\slash", "new\nline", "\xff", "\x7f"}) {
    TemporaryDirectory dir;
    dir.write("d/" + name, "1");
    CHECK(slug_of(dir.path()) == "bad_path");
    CHECK(slug_of(dir.path("d/" + name)) == "bad_path");
  }
}

TEST_CASE("walk: depth ends at the longest path, with an error") {
  TemporaryDirectory dir;
  dir.write("f", "1");
  make_deep(dir.path(), 15);
  const auto deep = walk_artifact(dir.path());
  REQUIRE(deep);
  CHECK(deep->empty_directories.size() == 1);
  TemporaryDirectory deeper;
  deeper.write("f", "1");
  make_deep(deeper.path(), 18);
  CHECK(slug_of(deeper.path()) == "io_error");
}

TEST_CASE("walk: a wide and deep tree needs few descriptors") {
  TemporaryDirectory dir;
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 2; ++j) dir.write(std::to_string(i) + "/" + std::to_string(j) + "/x/y/f", "1");
  }
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);  // the lowest that is free
  REQUIRE(next >= 0);
  ::close(next);
  const rlimit few{static_cast<rlim_t>(next) + 9, before.rlim_max};  // the root, and two for each of four threads
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto walk = walk_artifact(dir.path());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(walk);
  CHECK(walk->files.size() == 32);
}

TEST_CASE("walk: where a file is, however the root was named") {
  TemporaryDirectory dir;
  dir.write("d/f", "1");
  for (const auto& [root, source] :
       std::vector<std::pair<std::string, std::string>>{{dir.path(), dir.path("d/f")},
                                                        {dir.path() + "/", dir.path("d/f")},
                                                        {dir.path("d/."), dir.path("d/./f")},
                                                        {dir.path("d/f"), dir.path("d/f")}}) {
    const auto walk = walk_artifact(root);
    REQUIRE(walk);
    CHECK(source_of(*walk, walk->files.at(0)) == source);
    CHECK(walk->root == root);
    CHECK(walk->is_directory == (root != source));
  }
}

TEST_CASE("walk: one file has its stat data too, and the start lies before what it finds afterwards") {
  TemporaryDirectory dir;
  const auto before_us = SystemClock().now_us();
  const auto file = dir.write("f", "123");
  const auto walk = walk_artifact(file);
  REQUIRE(walk);
  CHECK(walk->files.at(0).stat.size_bytes == 3);
  CHECK(walk->files.at(0).stat.inode != 0);
  CHECK(walk->started_us >= before_us);
  CHECK(walk->started_us <= SystemClock().now_us());
}
