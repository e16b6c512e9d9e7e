#include "cli/cmd/restore.h"

#include <filesystem>

#include "cli/cmd/rows.h"
#include "core/base/env.h"
#include "core/crypto/digest.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;
namespace fs = std::filesystem;

namespace {

struct Content {
  Json version;
  Json files;
};

Content content_of(const std::vector<std::pair<std::string, std::string>>& files, FakeApi& api) {
  std::vector<model::FileEntry> entries;
  Json items = Json::array();
  for (const auto& [path, bytes] : files) {
    const auto digest = crypto::sha256(bytes);
    entries.push_back({path, digest, bytes.size()});
    items.push_back({{"path", path}, {"digest", digest.to_string()}, {"size_bytes", bytes.size()}});
    api.store().put(bytes);
  }
  const auto manifest = model::make_manifest(model::ArtifactKind::kModel, entries);
  const auto digest =
      manifest ? crypto::sha256(model::manifest_bytes(*manifest)).to_string() : crypto::sha256("").to_string();
  return {{{"ref", "m@v1"}, {"kind", "model"}, {"digest", digest}}, {{"items", items}}};
}

FakeSession pulling(const std::string& directory, const std::vector<std::pair<std::string, std::string>>& files) {
  FakeSession session({"m@v1", directory});
  const auto content = content_of(files, session.fake);
  session.fake.answer("GET /api/v1/versions/m%40v1", content.version);
  session.fake.answer("GET /api/v1/versions/model%3Am%40v1/files", content.files);
  return session;
}

std::size_t entries_in(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("pull makes the directory with every file and nothing else") {
  TemporaryDirectory dir;
  auto session = pulling(dir.path("out"), {{"a", "1"}, {"sub/b", "22"}});
  REQUIRE(kPullCommand.run(session) == kExitDone);
  CHECK(*read_file(dir.path("out/a")) == "1");
  CHECK(*read_file(dir.path("out/sub/b")) == "22");
  CHECK(entries_in(dir.path()) == 1);
  CHECK(session.out.find("2 files") != std::string::npos);
}

TEST_CASE("a full directory is left alone unless forced, and then other files stay") {
  TemporaryDirectory dir;
  dir.write("out/a", "old");
  dir.write("out/mine", "keep");
  auto refused = pulling(dir.path("out"), {{"a", "new"}});
  CHECK(kPullCommand.run(refused) == kExitConflict);
  CHECK(*read_file(dir.path("out/a")) == "old");
  auto forced = pulling(dir.path("out"), {{"a", "new"}});
  forced.options["--force"] = {"true"};
  REQUIRE(kPullCommand.run(forced) == kExitDone);
  CHECK(*read_file(dir.path("out/a")) == "new");
  CHECK(*read_file(dir.path("out/mine")) == "keep");
  CHECK(entries_in(dir.path("out")) == 2);
}

TEST_CASE("an existing empty directory is filled") {
  TemporaryDirectory dir;
  fs::create_directory(dir.path("out"));
  auto session = pulling(dir.path("out") + "/", {{"sub/a", "x"}});
  REQUIRE(kPullCommand.run(session) == kExitDone);
  CHECK(*read_file(dir.path("out/sub/a")) == "x");
  CHECK(entries_in(dir.path("out")) == 1);
}

TEST_CASE("files are not written through a link inside the target") {
  TemporaryDirectory dir;
  dir.write("elsewhere/a", "precious");
  fs::create_directory(dir.path("out"));
  fs::create_directory_symlink(dir.path("elsewhere"), dir.path("out/sub"));
  auto session = pulling(dir.path("out"), {{"sub/a", "evil"}});
  session.options["--force"] = {"true"};
  CHECK(kPullCommand.run(session) == kExitUsage);
  CHECK(session.failed.slug == "symlink_refused");
  CHECK(*read_file(dir.path("elsewhere/a")) == "precious");
}

TEST_CASE("paths that leave the directory are refused whatever the server says") {
  FakeApi api;
  const Json version = {{"ref", "m@v1"}, {"kind", "model"}, {"digest", crypto::sha256("x").to_string()}};
  for (const auto* path : {"../a", "/etc/passwd", "a/../../b", "a//b", ""}) {
    INFO(path);
    const Json files = {{"items", {{{"path", path}, {"digest", crypto::sha256("y").to_string()}, {"size_bytes", 1}}}}};
    const auto proven = proven_files(version, files);
    REQUIRE_FALSE(proven);
    CHECK(proven.error().slug == "bad_path");
  }
}

TEST_CASE("a list of files that does not make up the digest is corrupt") {
  FakeApi api;
  auto content = content_of({{"a", "1"}, {"b", "2"}}, api);
  CHECK(proven_files(content.version, content.files));
  content.files["items"][0]["digest"] = crypto::sha256("other").to_string();
  const auto proven = proven_files(content.version, content.files);
  REQUIRE_FALSE(proven);
  CHECK(proven.error().slug == "manifest_mismatch");
  CHECK(proven.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("the files of a large tree come from the list that its manifest names, proven on the way") {
  TemporaryDirectory dir;
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 300; ++i) files.emplace_back("d/" + std::to_string(i), "content " + std::to_string(i));
  FakeSession session({"m@v1", dir.path("out")});
  auto content = content_of(files, session.fake);
  std::vector<model::FileEntry> entries;
  for (const auto& [path, bytes] : files) entries.push_back({path, crypto::sha256(bytes), bytes.size()});
  const auto manifest = model::make_manifest(model::ArtifactKind::kModel, entries).value();
  REQUIRE(manifest.is_tree);
  content.version["files_truncated"] = true;
  session.fake.answer("GET /api/v1/versions/m%40v1", content.version);
  const std::string manifest_path = "/api/v1/versions/model%3Am%40v1/manifest";
  const auto tree_path = "/api/v1/blobs/" + url_encode(manifest.tree_digest.to_string());
  session.fake.bodies = {{manifest_path, model::manifest_bytes(manifest)}, {tree_path, model::tree_bytes(manifest)}};
  SECTION("whole") {
    REQUIRE(kPullCommand.run(session) == kExitDone);
    CHECK(*read_file(dir.path("out/d/299")) == "content 299");
    CHECK(session.out.find("300 files") != std::string::npos);
  }
  SECTION("another list") {
    session.fake.bodies[tree_path][0] ^= 1;
    CHECK(kPullCommand.run(session) == kExitIntegrity);
    CHECK(session.failed.slug == "manifest_mismatch");
  }
  SECTION("a longer list") {
    session.fake.bodies[tree_path] += "x";
    CHECK(kPullCommand.run(session) == kExitIntegrity);
  }
  SECTION("another manifest") {
    session.fake.bodies[manifest_path] += " ";
    CHECK(kPullCommand.run(session) == kExitIntegrity);
    CHECK(session.failed.slug == "manifest_mismatch");
  }
}
