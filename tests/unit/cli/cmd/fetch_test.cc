// Pulls out of a real store: what an older version here has in common is taken from it, nothing unproven is left
// behind, and a broken connection goes on where it stopped.
#include "cli/cmd/fetch.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/cmd/restore.h"
#include "cli/cmd/rows.h"
#include "core/base/env.h"
#include "core/crypto/digest.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1u << 20;

using Contents = std::map<std::string, std::string>;

Json items_of(const Contents& contents) {
  Json items = Json::array();
  for (const auto& [path, bytes] : contents) {
    items.push_back({{"path", path}, {"digest", crypto::sha256(bytes).to_string()}, {"size_bytes", bytes.size()}});
  }
  return items;
}

struct Fixture {
  TemporaryDirectory dir;
  FakeSession session;
  const std::string target = dir.path("out");
  const VerifyBy verify_by = GENERATE(VerifyBy::kChunks, VerifyBy::kFiles);
  const PullOptions options{Durability::kDisk, {verify_by, 4 * kMiB}};
  const Json version = {
      {"ref", "m@v2"}, {"kind", "model"}, {"name", "m"}, {"digest", crypto::sha256("v2").to_string()}};

  FakeStore& store() { return session.fake.store(); }

  Result<FetchResult> restore(const Contents& contents) {
    std::vector<model::FileEntry> files;
    for (const auto& [path, bytes] : contents) {
      store().put(bytes);
      files.push_back({path, crypto::sha256(bytes), bytes.size()});
    }
    return restore_files(session, version, files, target, options);
  }
  // An older version in the target.
  void write_older(const Contents& contents) {
    for (const auto& [path, bytes] : contents) dir.write("out/" + path, bytes);
  }
  // The server knows of an older version with these files.
  void answer_older(const Contents& contents) {
    for (const auto& [path, bytes] : contents) store().put(bytes);
    const Json older = {{"ref", "m@v1"}, {"kind", "model"}, {"digest", crypto::sha256("v1").to_string()}};
    session.fake.answer("GET /api/v1/versions?kind=model&name=m", Json{{"items", {version, older}}});
    session.fake.answer("GET /api/v1/versions/model%3Am%40v1/files", Json{{"items", items_of(contents)}});
  }
  void check_target(const Contents& contents) const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(target)) files += entry.is_regular_file();
    CHECK(files == contents.size());
    for (const auto& [path, bytes] : contents) {
      INFO(path);
      CHECK((read_file(target + "/" + path).value() == bytes));
    }
    CHECK(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()) == 1);
  }
  bool is_nothing_left() const { return fs::is_empty(dir.path()); }
};

std::string edited(std::string bytes, std::size_t at) {
  bytes.insert(at, "some words that were not there");
  return bytes;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "many small files, an empty one and equal ones come in one answer") {
  Contents contents = {{"empty", ""}, {"z/empty", ""}, {"same", "file 3"}};
  for (int i = 0; i < 300; ++i)
    contents["d" + std::to_string(i % 7) + "/f" + std::to_string(i)] = "file " + std::to_string(i);
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(store().counts().fetches == 1);
  CHECK(fetched->received_bytes == store().counts().fetched_bytes);
  CHECK(fetched->local_bytes == 0);
}

TEST_CASE_METHOD(Fixture, "a large file comes whole, also beside small ones") {
  const Contents contents = {
      {"a", "x"}, {"large", random_bytes(1, 9 * kMiB + 17)}, {"text", std::string(3 * kMiB, 't')}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fetched->received_bytes > 9 * kMiB);
  CHECK(fetched->received_bytes < 10 * kMiB);  // as it is stored
}

TEST_CASE_METHOD(Fixture, "of a version whose older one is here only what differs comes") {
  const auto old = random_bytes(1, 6 * kMiB);
  write_older({{"large", old}});
  const Contents contents = {{"large", edited(old, 3 * kMiB)}, {"small", "beside"}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fetched->received_bytes < 4 * 256 * 1024);
  CHECK(fetched->local_bytes > 5 * kMiB);
  CHECK(store().counts().recipes > 1);  // one of many chunks takes several answers …
  CHECK(store().counts().recipes < 5);  // … but is asked for once
}

TEST_CASE_METHOD(Fixture, "parts that moved, came twice and went are taken from where they were") {
  const auto a = random_bytes(1, 2 * kMiB);
  const auto b = random_bytes(2, 2 * kMiB);  // the new file has more than 4 MiB, so it is verified either way
  write_older({{"large", a + b}});
  const Contents contents = {{"large", b + random_bytes(3, kMiB / 2) + a + b}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fetched->local_bytes > 4 * kMiB);
  CHECK(fetched->received_bytes < 2 * kMiB);
}

TEST_CASE_METHOD(Fixture, "a version that the server knows tells the chunks of the older file") {
  const auto old = random_bytes(1, 4 * kMiB);
  write_older({{"large", old}});
  answer_older({{"large", old}});
  const Contents contents = {{"large", edited(old, kMiB)}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fetched->local_bytes > 3 * kMiB);
  CHECK(store().counts().fetches == 1);
}

TEST_CASE_METHOD(Fixture, "an older file that is not what it seems to be is replaced all the same") {
  const auto old = random_bytes(1, 4 * kMiB);
  auto touched = old;
  touched[2 * kMiB] ^= 1;
  write_older({{"large", touched}, {"mine", "stays"}});
  answer_older({{"large", old}});
  const Contents contents = {{"large", edited(old, kMiB)}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target({{"large", contents.at("large")}, {"mine", "stays"}});
  CHECK(fetched->local_bytes == 0);
  CHECK(store().counts().fetches == 2);
}

TEST_CASE_METHOD(Fixture, "what has not changed is not fetched") {
  const auto large = random_bytes(1, 3 * kMiB);
  write_older({{"large", large}, {"small", "same"}, {"other", "old!"}});
  const Contents contents = {{"large", large}, {"small", "same"}, {"other", "new!"}};
  const auto untouched = fs::last_write_time(target + "/large");
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fs::last_write_time(target + "/large") == untouched);
  CHECK(fetched->received_bytes < 300);
  CHECK(fetched->local_bytes == large.size() + 4);
  REQUIRE(restore(contents));
  CHECK(store().counts().fetches == 1);
}

TEST_CASE_METHOD(Fixture, "a byte that differs in a large file leaves nothing behind") {
  const auto at = GENERATE(std::size_t{50'000}, 2 * kMiB, 5 * kMiB - 10);
  store().wrong_byte = {1, at};
  const auto fetched = restore({{"a", random_bytes(1, 5 * kMiB)}});
  REQUIRE_FALSE(fetched);
  CHECK((fetched.error().code == ErrorCode::kCorrupt));
  CHECK(is_nothing_left());
}

TEST_CASE_METHOD(Fixture, "a list of chunks that is not the file's is refused") {
  const auto bytes = random_bytes(1, 5 * kMiB);
  const auto other = random_bytes(2, 4 * kMiB);
  store().put(bytes);
  store().put(other);
  const auto digest = crypto::sha256(bytes);
  const std::vector<model::FileEntry> files = {{"a", digest, bytes.size()}};
  store().recipes_of[digest] = crypto::sha256(other);
  const auto fetched = restore_files(session, version, files, target, options);
  if (verify_by == VerifyBy::kFiles) {  // asks for no list
    CHECK(fetched);
    return;
  }
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().slug == "bad_recipe");
  CHECK(is_nothing_left());
}

TEST_CASE_METHOD(Fixture, "a file that was not cut by the rule is verified whole, and taken whole") {
  const auto bytes = random_bytes(1, 5 * kMiB);
  store().tiny_chunks_of = crypto::sha256(bytes);
  write_older({{"large", edited(bytes, kMiB)}});
  const auto fetched = restore({{"large", bytes}});
  REQUIRE(fetched);
  check_target({{"large", bytes}});
  CHECK(fetched->files_by_chunks == 0);
  CHECK(fetched->local_bytes == 0);
}

TEST_CASE_METHOD(Fixture, "what a file was verified by is told") {
  const auto fetched = restore({{"large", random_bytes(1, 5 * kMiB)}, {"small", random_bytes(2, 3 * kMiB)}});
  REQUIRE(fetched);
  CHECK(fetched->files_by_chunks == (verify_by == VerifyBy::kChunks ? 1 : 0));
}

TEST_CASE_METHOD(Fixture, "a byte that differs leaves nothing behind") {
  store().wrong_byte = {1, 500'000};
  const auto fetched = restore({{"a", random_bytes(1, 300'000)}, {"b", random_bytes(2, 400'000)}});
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().slug == "digest_mismatch");
  CHECK(fetched.error().code == ErrorCode::kCorrupt);
  CHECK(is_nothing_left());
}

TEST_CASE_METHOD(Fixture, "a record that cannot be one leaves nothing behind") {
  store().wrong_byte = {1, 0};
  CHECK_FALSE(restore({{"a", random_bytes(1, 1000)}}));
  CHECK(is_nothing_left());
}

TEST_CASE_METHOD(Fixture, "bytes that the server has not are an error, not an endless question") {
  const auto there = random_bytes(1, 1000);
  store().put(there);
  const std::vector<model::FileEntry> files = {{"a", crypto::sha256(there), there.size()},
                                               {"b", crypto::sha256("absent"), 6}};
  const auto fetched = restore_files(session, version, files, target, options);
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().slug == "blob_not_found");
  CHECK(is_nothing_left());
}

TEST_CASE_METHOD(Fixture, "a file that the server holds as a shorter one is an error, not an endless question") {
  const auto bytes = random_bytes(1, 1000);
  store().put(bytes);
  for (const std::uint64_t size_bytes : {std::uint64_t{999}, std::uint64_t{2000}}) {
    const auto fetched = restore_files(session, version, {{"a", crypto::sha256(bytes), size_bytes}}, target, options);
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().slug == "bad_stream");
    CHECK(is_nothing_left());
  }
}

TEST_CASE_METHOD(Fixture, "a broken connection goes on where it stopped") {
  const Contents contents = {{"a", random_bytes(1, 1000)}, {"b", random_bytes(2, 5 * kMiB)}, {"c", "x"}};
  store().broken_fetch = {1, 3 * kMiB + 7};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(store().counts().fetches == 2);
  CHECK(fetched->received_bytes < 5 * kMiB + 300'000);
  CHECK(session.err.find("going on where it stopped") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a broken connection between local parts goes on there too") {
  const auto old = random_bytes(1, 3 * kMiB);
  write_older({{"large", old}});
  const Contents contents = {{"large", edited(edited(old, 2 * kMiB), kMiB / 2)}};
  store().broken_fetch = {1, 200'000};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  check_target(contents);
  CHECK(fetched->local_bytes > kMiB);
}

TEST_CASE_METHOD(Fixture, "a link in the place of a file is replaced, not followed and not read") {
  const auto bytes = random_bytes(1, 2 * kMiB);
  dir.write("out/real", bytes);
  fs::create_symlink("real", target + "/large");
  const Contents contents = {{"large", bytes}};
  const auto fetched = restore(contents);
  REQUIRE(fetched);
  CHECK(fetched->local_bytes == 0);
  CHECK(fs::symlink_status(target + "/large").type() == fs::file_type::regular);
  CHECK((read_file(target + "/real").value() == bytes));
}

TEST_CASE("who names a version by its digest gets that one, every file verified, or nothing") {
  TemporaryDirectory dir;
  const auto bytes = std::string(64 * kMiB, 'x') + "end";
  const auto manifest =
      model::make_manifest(model::ArtifactKind::kModel, {{"large", crypto::sha256(bytes), bytes.size()}});
  REQUIRE(manifest);
  const auto digest = crypto::sha256(model::manifest_bytes(*manifest)).to_string();
  const auto pull = [&](const std::string& reference, std::map<std::string, std::vector<std::string>> options) {
    FakeSession session({reference, dir.path("out")});
    session.json = true;
    session.options = std::move(options);
    session.fake.store().put(bytes);
    session.fake.answer("GET /api/v1/versions/" + url_encode(reference),
                        Json{{"ref", "m@v2"}, {"kind", "model"}, {"name", "m"}, {"digest", digest}});
    session.fake.answer("GET /api/v1/versions/model%3Am%40v2/files", Json{{"items", items_of({{"large", bytes}})}});
    const int status = kPullCommand.run(session);
    const auto recipes = session.fake.store().counts().recipes;
    fs::remove_all(dir.path("out"));
    return std::tuple(status, status == kExitDone ? Json::parse(session.out)["verified"].get<std::string>() : "",
                      recipes > 0);
  };
  CHECK(pull("m@v2", {}) == std::tuple(kExitDone, "chunks", true));
  CHECK(pull("m@v2", {{"--verify", {"files"}}}) == std::tuple(kExitDone, "files", false));
  CHECK(pull("m@" + digest, {}) == std::tuple(kExitDone, "files", false));
  CHECK(pull("m@" + digest.substr(0, 20), {}) == std::tuple(kExitDone, "files", false));
  CHECK(pull("m@" + digest, {{"--verify", {"chunks"}}}) == std::tuple(kExitDone, "chunks", true));
  const auto other = crypto::sha256("other").to_string();
  CHECK(pull("m@" + other, {}) == std::tuple(kExitIntegrity, "", false));
}

TEST_CASE_METHOD(Fixture, "pull tells what came and what was here, and its exit code tells damage") {
  const auto large = random_bytes(1, 2 * kMiB);
  const Contents contents = {{"large", large}, {"small", "text"}};
  std::vector<model::FileEntry> entries;
  for (const auto& [path, bytes] : contents) entries.push_back({path, store().put(bytes), bytes.size()});
  const auto manifest = model::make_manifest(model::ArtifactKind::kModel, entries);
  REQUIRE(manifest);
  auto proven = version;
  proven["digest"] = crypto::sha256(model::manifest_bytes(*manifest)).to_string();
  FakeSession pulling({"m@v2", target});
  for (const auto& [path, bytes] : contents) pulling.fake.store().put(bytes);
  pulling.fake.answer("GET /api/v1/versions/m%40v2", proven);
  pulling.fake.answer("GET /api/v1/versions/model%3Am%40v2/files", Json{{"items", items_of(contents)}});
  pulling.fake.store().wrong_byte = {1, 1'000'000};
  CHECK(kPullCommand.run(pulling) == kExitIntegrity);
  CHECK(is_nothing_left());

  pulling.json = true;
  REQUIRE(kPullCommand.run(pulling) == kExitDone);
  check_target(contents);
  const auto answer = Json::parse(pulling.out);
  CHECK(answer["size_bytes"] == 2 * kMiB + 4);
  CHECK(answer["known_bytes"] == 0);
  CHECK(answer["received_bytes"].get<std::uint64_t>() > 2 * kMiB);
}
