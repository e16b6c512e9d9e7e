// Fingerprints and their index: equal ids of one name space are one person, damage and other keys count as absent.
#include "daemon/domain/subject_index.h"

#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::domain;

namespace {

crypto::SecretBytes key_of(std::uint8_t byte) {
  return crypto::SecretBytes(std::vector<std::uint8_t>(32, byte));
}

struct Fixture {
  test::TempDir dir;
  crypto::SecretBytes key = key_of(1);
  SubjectIndex index{dir / "erasure", key, posix_env()};
  crypto::Digest file = crypto::sha256("file");
  SubjectColumn column{"mrn", "subject"};

  std::uint64_t build(const std::vector<std::string>& ids) {
    SubjectIndex::Builder builder(index, file, column);
    for (const auto& id : ids) builder.add(id);
    return builder.finish().value();
  }
  std::optional<bool> asked(const std::string& id) { return asked(index, column, id); }
  std::optional<bool> asked(const SubjectIndex& of, const SubjectColumn& where, const std::string& id) {
    Subject subject(of.key());
    subject.add_id(where.name_space, id);
    return of.may_hold(file, where, subject.of(where.name_space)).value();
  }
  std::filesystem::path only_file() { return std::filesystem::directory_iterator(dir / "erasure")->path(); }
};

}  // namespace

TEST_CASE("who is in the file is found, who is not is not, blanks around an id do not count") {
  Fixture f;
  CHECK_FALSE(f.asked("100"));  // no index yet
  std::vector<std::string> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(std::to_string(i * 7));
  ids.push_back("");
  ids.push_back("  ");
  ids.push_back(" 0 ");
  CHECK(f.build(ids) == 5000);
  for (int i = 0; i < 5000; ++i) CHECK(f.asked(std::to_string(i * 7)) == true);
  for (int i = 0; i < 5000; ++i) CHECK(f.asked(std::to_string(i * 7 + 1)) == false);
  CHECK(f.asked("\t7 ") == true);
  CHECK(f.asked("07") == false);
}

TEST_CASE("an empty file has an index, too") {
  Fixture f;
  CHECK(f.build({}) == 0);
  CHECK(f.asked("1") == false);
}

TEST_CASE("another column, name space, file or key has no index") {
  Fixture f;
  f.build({"1"});
  CHECK_FALSE(f.asked(f.index, {"id", "subject"}, "1"));
  CHECK_FALSE(f.asked(f.index, {"mrn", "other"}, "1"));
  const auto other_key = key_of(2);
  const SubjectIndex other(f.dir / "erasure", other_key, posix_env());
  CHECK_FALSE(f.asked(other, f.column, "1"));
  f.file = crypto::sha256("another file");
  CHECK_FALSE(f.asked("1"));
}

TEST_CASE("any flipped or missing byte makes it absent, never wrong") {
  Fixture f;
  f.build({"1", "2", "3"});
  const auto path = f.only_file();
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t at = 0; at < size; ++at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
    file.close();
    CHECK_FALSE(f.asked("1"));
    std::fstream back(path, std::ios::in | std::ios::out | std::ios::binary);
    back.seekp(static_cast<std::streamoff>(at));
    back.put(static_cast<char>(byte));
  }
  CHECK(f.asked("1") == true);
  for (std::uintmax_t left = 0; left < size; ++left) {
    std::filesystem::resize_file(path, size - left - 1);
    CHECK_FALSE(f.asked("1"));
  }
}

TEST_CASE("no id is in the file or its name, and dropping takes all of a file's") {
  Fixture f;
  f.build({"patient-4711"});
  f.column.name_space = "other";
  f.build({"patient-4711"});
  for (const auto& entry : std::filesystem::directory_iterator(f.dir / "erasure")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    CHECK(content.find("patient") == std::string::npos);
    CHECK(entry.path().string().find("patient") == std::string::npos);
  }
  REQUIRE(f.index.drop(f.file));
  CHECK(std::filesystem::is_empty(f.dir / "erasure"));
  REQUIRE(f.index.drop(f.file));
}

TEST_CASE("a person's fingerprints are kept and read back") {
  const auto key = key_of(1);
  Subject subject(key.view());
  subject.add_id("mrn", "1");
  subject.add_id("mrn", " 1");
  subject.add_id("mrn", "2");
  subject.add_id("email", "1");
  const auto stored = subject.stored();
  REQUIRE(stored.size() == 3);
  Subject again(key.view());
  REQUIRE(again.add(stored));
  CHECK(again.stored() == stored);
  CHECK(again.is("mrn", "2 "));
  CHECK_FALSE(again.is("email", "2"));
  CHECK_FALSE(again.is("mrn", ""));
  CHECK_FALSE(again.is("unknown", "1"));
  CHECK(again.add({{"mrn", "zz"}}).error().slug == "bad_erasure");
}
