// What register asks and sends: optimistic when the stat cache knows every file, otherwise a push and a registration;
// one tree instead of many files. The cache is in a directory of the test.
#include <cstdlib>
#include <filesystem>

#include "cli/cmd/file_walk.h"
#include "cli/cmd/rows.h"
#include "cli/stat_cache.h"
#include "core/base/env.h"
#include "core/crypto/digest.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;
namespace fs = std::filesystem;

namespace {

constexpr const char* kVersions = "POST /api/v1/versions";

// Where the stat cache is while this lives.
class CacheDirectory {
 public:
  CacheDirectory() {
    if (const char* before = std::getenv(kVariable)) before_ = before;
    ::setenv(kVariable, directory_.path().c_str(), 1);
  }
  ~CacheDirectory() {
    if (before_) {
      ::setenv(kVariable, before_->c_str(), 1);
    } else {
      ::unsetenv(kVariable);
    }
  }
  CacheDirectory(const CacheDirectory&) = delete;
  CacheDirectory& operator=(const CacheDirectory&) = delete;

  // As if a register had seen the files long ago: files as young as a test's are not remembered otherwise.
  static void remember(const std::string& root) {
    const auto walk = walk_artifact(root);
    REQUIRE(walk);
    std::vector<StatEntry> entries;
    for (const auto& file : walk->files) {
      const auto content = read_file(source_of(*walk, file));
      REQUIRE(content);
      entries.push_back({file.path, file.stat, crypto::sha256(*content)});
    }
    constexpr TimestampUs kHourUs = 3'600'000'000;
    StatCache::store(stat_cache_file("http://test", root), root, entries, walk->started_us + kHourUs);
  }

 private:
  static constexpr const char* kVariable = "XDG_CACHE_HOME";
  TemporaryDirectory directory_;
  std::optional<std::string> before_;
};

struct Fixture {
  CacheDirectory cache;
  TemporaryDirectory dir;
  FakeSession session{std::vector<std::string>{"model", "m", dir.path("m")}};

  void write(const std::string& name, std::string_view content) { dir.write("m/" + name, content); }
  FakeStore& store() { return session.fake.store(); }
  const Json& body(std::size_t call) const { return session.fake.calls.at(call).body; }
};

Json registered(bool created = true) {
  return {{"created", created},
          {"version", {{"ref", "m@v1"}, {"kind", "model"}, {"file_count", 1}, {"size_bytes", 7}}}};
}

Failure blobs_missing() {
  return fail(ErrorCode::kConflict, "blobs_missing", "bytes of the version are missing");
}

std::string digest_of(std::string_view bytes) {
  return crypto::sha256(bytes).to_string();
}

}  // namespace

TEST_CASE_METHOD(Fixture, "register sends metadata from the manifest, which is not content") {
  write("mlops.yaml", "description: from file\nparams: {a: 1}\n");
  write("model.bin", "weights");
  session.options["--metric"] = {"auc=0.5"};
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  REQUIRE(session.fake.calls.size() == 1);
  CHECK(body(0)["description"] == "from file");
  CHECK(body(0)["params"]["a"] == "1");
  CHECK(body(0)["metrics"]["auc"] == 0.5);
  REQUIRE(body(0)["files"].size() == 1);
  CHECK(body(0)["files"][0] == Json{{"path", "model.bin"}, {"digest", digest_of("weights")}, {"size_bytes", 7}});
  CHECK_FALSE(body(0).contains("dry_run"));
  CHECK(store().has(crypto::sha256("weights"), 7));
  CHECK_FALSE(store().has(crypto::sha256("description: from file\nparams: {a: 1}\n"), 35));
  CHECK(session.out.find("registered model m@v1") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "the bytes are there before the version is registered, equal files once") {
  write("a", "same");
  write("b", "same");
  write("c", "known");
  store().put("known");
  session.json = true;
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(session.fake.calls.size() == 1);
  CHECK(store().counts().pushed_chunks == 1);
  const auto answer = Json::parse(session.out);
  CHECK(answer["sent_bytes"] == store().counts().pushed_bytes);
  CHECK(answer["known_bytes"] == 9);
}

TEST_CASE_METHOD(Fixture, "what has not changed is registered without reading or asking") {
  write("a", "one");
  write("sub/b", "three");
  CacheDirectory::remember(dir.path("m"));
  session.json = true;
  session.fake.answer(kVersions, registered(false));
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(session.fake.calls.size() == 1);
  CHECK(body(0)["files"][1]["digest"] == digest_of("three"));
  CHECK(store().counts().questions == 0);
  CHECK(store().counts().pushes == 0);
  const auto answer = Json::parse(session.out);
  CHECK(answer["sent_bytes"] == 0);
  CHECK(answer["known_bytes"] == 8);
}

TEST_CASE_METHOD(Fixture, "what the server has lost meanwhile is pushed, and the version registered then") {
  write("a", "one");
  write("b", "three");
  store().put("one");
  CacheDirectory::remember(dir.path("m"));
  session.fake.answer(kVersions, blobs_missing());
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(session.fake.calls.size() == 2);
  CHECK(body(0) == body(1));
  CHECK(store().counts().pushed_chunks == 1);
  CHECK(store().has(crypto::sha256("three"), 5));
}

TEST_CASE_METHOD(Fixture, "another refusal is not a reason to push") {
  write("a", "one");
  CacheDirectory::remember(dir.path("m"));
  session.fake.answer(kVersions, fail(ErrorCode::kInvalid, "unknown_input", "no such input"));
  CHECK(kRegisterCommand.run(session) == kExitUsage);
  CHECK(session.fake.calls.size() == 1);
  CHECK(store().counts().pushes == 0);
}

TEST_CASE_METHOD(Fixture, "a changed file is read, the others are only asked about") {
  write("a", "one");
  write("b", "three");
  store().put("one");
  CacheDirectory::remember(dir.path("m"));
  write("b", "changed");
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(session.fake.calls.size() == 1);
  CHECK(body(0)["files"][0]["digest"] == digest_of("one"));
  CHECK(body(0)["files"][1]["digest"] == digest_of("changed"));
  CHECK(store().counts().pushed_chunks == 1);
}

TEST_CASE_METHOD(Fixture, "--rehash reads everything again") {
  write("a", "one");
  CacheDirectory::remember(dir.path("m"));
  session.options["--rehash"] = {"true"};
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(session.fake.calls.size() == 1);
  CHECK(store().has(crypto::sha256("one"), 3));
}

TEST_CASE_METHOD(Fixture, "many files are registered by their tree, which is pushed with them") {
  for (int i = 0; i < 257; ++i) write("f" + std::to_string(i), std::to_string(i));
  session.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  REQUIRE(session.fake.calls.size() == 1);
  CHECK_FALSE(body(0).contains("files"));
  const auto& tree = body(0)["tree"];
  CHECK(tree["file_count"] == 257);
  CHECK(tree["content_size_bytes"] == 10 + 2 * 90 + 3 * 157);
  const auto digest = crypto::Digest::parse(tree["digest"].get<std::string>());
  REQUIRE(digest);
  const auto bytes = store().read(*digest);
  CHECK(bytes.size() == tree["size_bytes"]);
  CHECK(bytes.find(crypto::sha256("256").hex() + " 3 f256\n") != std::string::npos);

  // The tree alone may be what is missing.
  CacheDirectory::remember(dir.path("m"));
  FakeSession again({"model", "m", dir.path("m")});
  for (int i = 0; i < 257; ++i) again.fake.store().put(std::to_string(i));
  again.fake.answer(kVersions, blobs_missing());
  again.fake.answer(kVersions, registered());
  REQUIRE(kRegisterCommand.run(again) == kExitDone);
  CHECK(again.fake.store().counts().pushed_chunks == 1);
  CHECK(again.fake.store().has(*digest, bytes.size()));
}

TEST_CASE_METHOD(Fixture, "a dry run sends nothing, names the files and says so to the server") {
  for (int i = 0; i < 257; ++i) write("f" + std::to_string(i), std::to_string(i));
  session.options["--dry-run"] = {"true"};
  session.fake.answer(kVersions, blobs_missing());
  REQUIRE(kRegisterCommand.run(session) == kExitDone);
  CHECK(store().counts().pushes == 0);
  CHECK(body(0)["files"].size() == 257);
  CHECK(body(0)["dry_run"] == true);
  CHECK(session.out.find("would upload 257 files") != std::string::npos);
  // Neither is anything remembered.
  CHECK_FALSE(fs::exists(stat_cache_file("http://test", dir.path("m"))));
}

TEST_CASE_METHOD(Fixture, "a lost connection to the registration is told, not hidden by the push") {
  write("a", "one");
  session.fake.answer(kVersions, fail(ErrorCode::kUnavailable, "connection_lost", "the server closed the connection"));
  CHECK(kRegisterCommand.run(session) == kExitFailed);
  CHECK(session.failed.slug == "connection_lost");
  CHECK_FALSE(fs::exists(stat_cache_file("http://test", dir.path("m"))));
}
