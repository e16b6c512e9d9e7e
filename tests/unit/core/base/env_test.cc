#include "core/base/env.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/catch.h"

using namespace mlops;
namespace fs = std::filesystem;

namespace {

struct TempFolder {
  TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "env_test_XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempFolder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
  std::string path;
};

void put(const std::string& path, std::string_view content) {
  auto file = posix_env().create_exclusive(path);
  REQUIRE(file);
  REQUIRE((*file)->append(as_bytes(content)));
  REQUIRE((*file)->sync());
  REQUIRE((*file)->close());
}

}  // namespace

TEST_CASE("what is written can be read, at any offset") {
  const TempFolder folder;
  put(folder / "a", "0123456789");
  CHECK(read_file(folder / "a").value() == "0123456789");
  CHECK(posix_env().file_size_bytes(folder / "a").value() == 10);
  const auto file = posix_env().open_readable(folder / "a");
  REQUIRE(file);
  CHECK((*file)->size_bytes() == 10);
  std::vector<std::uint8_t> buffer(4);
  CHECK((*file)->read_at(3, buffer).value() == 4);
  CHECK(std::string(buffer.begin(), buffer.end()) == "3456");
  CHECK((*file)->read_at(8, buffer).value() == 2);
  CHECK((*file)->read_at(10, buffer).value() == 0);
}

TEST_CASE("two places are filled one behind the other, also at the end of the file") {
  const TempFolder folder;
  put(folder / "a", "0123456789");
  const auto file = posix_env().open_readable(folder / "a");
  REQUIRE(file);
  const auto read = [&](std::uint64_t offset) {
    std::vector<std::uint8_t> head(2, '.');
    std::vector<std::uint8_t> rest(3, '.');
    const auto got = (*file)->read_both_at(offset, head, rest).value();
    return std::to_string(got) + " " + std::string(head.begin(), head.end()) + " " +
           std::string(rest.begin(), rest.end());
  };
  CHECK(read(0) == "5 01 234");
  CHECK(read(5) == "5 56 789");
  CHECK(read(7) == "3 78 9..");
  CHECK(read(9) == "1 9. ...");
  CHECK(read(10) == "0 .. ...");
  (*file)->forget_cached(0, 10);
  CHECK(read(0) == "5 01 234");
}

TEST_CASE("creating is exclusive, also against a dangling link, with the mode asked for") {
  const TempFolder folder;
  put(folder / "a", "x");
  CHECK(posix_env().create_exclusive(folder / "a").error().slug == "file_exists");
  fs::create_symlink(folder / "elsewhere", folder / "link");
  CHECK(posix_env().create_exclusive(folder / "link").error().code == ErrorCode::kAlreadyExists);
  CHECK_FALSE(fs::exists(folder / "elsewhere"));
  struct stat info {};
  REQUIRE(::stat((folder / "a").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("renaming replaces only when told to") {
  const TempFolder folder;
  put(folder / "a", "new");
  put(folder / "b", "old");
  CHECK(posix_env().rename_no_replace(folder / "a", folder / "b").error().slug == "file_exists");
  CHECK(read_file(folder / "b").value() == "old");
  CHECK(posix_env().rename_no_replace(folder / "a", folder / "c"));
  CHECK(posix_env().rename_replace(folder / "c", folder / "b"));
  CHECK(read_file(folder / "b").value() == "new");
  CHECK(posix_env().list_dir(folder.path).value() == std::vector<std::string>{"b"});
  CHECK(posix_env().rename_replace(folder / "gone", folder / "b").error().slug == "file_not_found");
}

TEST_CASE("folders") {
  const TempFolder folder;
  CHECK(posix_env().make_dir(folder / "d"));
  CHECK(posix_env().make_dir(folder / "d"));
  put(folder / "f", "");
  CHECK(posix_env().make_dir(folder / "f").error().slug == "file_exists");
  CHECK(posix_env().sync_dir(folder / "d"));
  CHECK(posix_env().sync_dir(folder / "f").error().slug == "file_not_found");
  CHECK(posix_env().list_dir(folder.path).value() == std::vector<std::string>{"d", "f"});
  CHECK(posix_env().list_dir(folder / "gone").error().code == ErrorCode::kNotFound);
  CHECK(posix_env().remove(folder / "f"));
  CHECK(posix_env().remove(folder / "f").error().slug == "file_not_found");
}

TEST_CASE("appending goes on behind what is there") {
  const TempFolder folder;
  put(folder / "a", "0123");
  {
    const auto file = posix_env().open_append(folder / "a");
    REQUIRE(file);
    CHECK((*file)->append(as_bytes("45")));
    CHECK((*file)->append({}));
    CHECK((*file)->append(as_bytes("6")));
    CHECK((*file)->sync());
    CHECK((*file)->close());
  }
  CHECK(read_file(folder / "a").value() == "0123456");
  // Two at once: each behind what the other wrote.
  const auto first = posix_env().open_append(folder / "a");
  const auto second = posix_env().open_append(folder / "a");
  REQUIRE((first && second));
  CHECK((*first)->append(as_bytes("7")));
  CHECK((*second)->append(as_bytes("8")));
  CHECK((*first)->append(as_bytes("9")));
  CHECK(read_file(folder / "a").value() == "0123456789");
}

TEST_CASE("what cannot be appended to is refused and stays as it is") {
  const TempFolder folder;
  CHECK(posix_env().open_append(folder / "gone").error().slug == "file_not_found");
  CHECK_FALSE(fs::exists(folder / "gone"));
  CHECK(posix_env().open_append(folder.path).error().slug == "not_a_file");
  put(folder / "a", "x");
  fs::create_symlink(folder / "a", folder / "link");
  CHECK(posix_env().open_append(folder / "link").error().slug == "bad_path");
  CHECK(read_file(folder / "a").value() == "x");
}

TEST_CASE("a large file is written back on the way, and all of it is there") {
  const TempFolder folder;
  put(folder / "a", "head");
  const auto file = posix_env().open_append(folder / "a");
  REQUIRE(file);
  const std::string piece(5u << 20, 'x');
  for (int i = 0; i < 4; ++i) REQUIRE((*file)->append(as_bytes(piece)));
  REQUIRE((*file)->sync());
  CHECK(posix_env().file_size_bytes(folder / "a").value() == 4 + 4 * piece.size());
  const auto reader = posix_env().open_readable(folder / "a");
  std::vector<std::uint8_t> buffer(6);
  CHECK((*reader)->read_at(0, buffer).value() == 6);
  CHECK(std::string(buffer.begin(), buffer.end()) == "headxx");
}

TEST_CASE("only empty folders are removed") {
  const TempFolder folder;
  REQUIRE(posix_env().make_dir(folder / "d"));
  put(folder / "d/in", "x");
  CHECK(posix_env().remove_dir(folder / "d").error().slug == "file_exists");
  CHECK(posix_env().remove_dir(folder / "d/in").error().code == ErrorCode::kNotFound);
  REQUIRE(posix_env().remove(folder / "d/in"));
  CHECK(posix_env().remove_dir(folder / "d"));
  CHECK(posix_env().remove_dir(folder / "d").error().slug == "file_not_found");
  CHECK_FALSE(fs::exists(folder / "d"));
}

TEST_CASE("a file's time is that of its last write, in microseconds") {
  const TempFolder folder;
  put(folder / "a", "x");
  const struct timespec times[2] = {{1'600'000'000, 0}, {1'700'000'000, 123'456'789}};
  REQUIRE(::utimensat(AT_FDCWD, (folder / "a").c_str(), times, 0) == 0);
  CHECK(posix_env().file_modified_at_us(folder / "a").value() == 1'700'000'000'123'456);
  const auto file = posix_env().open_append(folder / "a");
  REQUIRE((*file)->append(as_bytes("y")));
  CHECK(posix_env().file_modified_at_us(folder / "a").value() > 1'700'000'000'123'456);
  CHECK(posix_env().file_modified_at_us(folder / "gone").error().slug == "file_not_found");
}

TEST_CASE("only regular files are opened, and nothing hangs on a pipe") {
  const TempFolder folder;
  CHECK(posix_env().open_readable(folder.path).error().slug == "not_a_file");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(posix_env().open_readable(folder / "pipe").error().slug == "not_a_file");
  CHECK(posix_env().open_readable(folder / "gone").error().slug == "file_not_found");
  CHECK(read_file(folder.path).error().slug == "not_a_file");
  CHECK(posix_env().open_readable(folder / std::string(300, 'x').c_str()).error().slug == "bad_path");
}

TEST_CASE("errors of the system keep their meaning and name the path") {
  auto full = posix_env().create_exclusive("/dev/full");
  CHECK(full.error().slug == "file_exists");
  const TempFolder folder;
  const auto missing = read_file(folder / "gone\n");
  CHECK(missing.error().message.find("gone\\x0a: No such file") != std::string::npos);
}

TEST_CASE("whole files are bounded") {
  const TempFolder folder;
  put(folder / "a", std::string(100'000, 'x'));
  CHECK(read_file(folder / "a").value().size() == 100'000);
  CHECK(read_file(folder / "a", 100'000));
  CHECK(read_file(folder / "a", 99'999).error().slug == "file_too_large");
  CHECK(read_file("/proc/self/stat").value().size() > 10);  // has size 0 in its directory entry
}

TEST_CASE("an atomic write replaces whole files and leaves no temporary") {
  const TempFolder folder;
  CHECK(write_file_atomic(folder / "a", "one"));
  CHECK(write_file_atomic(folder / "a", "two", 0640));
  CHECK(read_file(folder / "a").value() == "two");
  CHECK(posix_env().list_dir(folder.path).value() == std::vector<std::string>{"a"});
  REQUIRE(posix_env().make_dir(folder / "d"));
  put(folder / "d/in", "x");
  CHECK_FALSE(write_file_atomic(folder / "d", "x"));
  CHECK(posix_env().list_dir(folder.path).value() == std::vector<std::string>{"a", "d"});
  CHECK(write_file_atomic(folder / "gone/a", "x").error().code == ErrorCode::kNotFound);
}
