// Identity of content: what changes a manifest's digest and what does not, and both of its forms.
#include "core/model/manifest.h"

#include <algorithm>
#include <string>

#include "core/base/json.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

FileEntry file(const std::string& path, const std::string& content) {
  return {path, crypto::sha256(content), content.size()};
}

std::vector<FileEntry> many(std::size_t count) {
  std::vector<FileEntry> files;
  for (std::size_t i = 0; i < count; ++i)
    files.push_back(file("part-" + std::to_string(i) + " of many", std::to_string(i)));
  return files;
}

std::string bytes_of(ArtifactKind kind, std::vector<FileEntry> files) {
  const auto manifest = make_manifest(kind, std::move(files));
  REQUIRE(manifest);
  return manifest_bytes(*manifest);
}

void check_same(const std::vector<FileEntry>& a, const std::vector<FileEntry>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].path == b[i].path);
    CHECK(a[i].digest == b[i].digest);
    CHECK(a[i].size_bytes == b[i].size_bytes);
  }
}

}  // namespace

TEST_CASE("the digest does not depend on the order in which files are named") {
  auto files = many(10);
  const auto straight = bytes_of(ArtifactKind::kDataset, files);
  std::reverse(files.begin(), files.end());
  CHECK(bytes_of(ArtifactKind::kDataset, files) == straight);
  auto large = many(300);
  const auto large_straight = bytes_of(ArtifactKind::kDataset, large);
  std::reverse(large.begin(), large.end());
  CHECK(bytes_of(ArtifactKind::kDataset, large) == large_straight);
}

TEST_CASE("the digest depends on kind, paths and content, each alone") {
  const auto base = bytes_of(ArtifactKind::kModel, {file("a", "1"), file("b", "2")});
  CHECK(bytes_of(ArtifactKind::kDataset, {file("a", "1"), file("b", "2")}) != base);
  CHECK(bytes_of(ArtifactKind::kModel, {file("a", "1"), file("c", "2")}) != base);
  CHECK(bytes_of(ArtifactKind::kModel, {file("a", "1"), file("b", "3")}) != base);
  CHECK(bytes_of(ArtifactKind::kModel, {file("a", "1")}) != base);
  CHECK(bytes_of(ArtifactKind::kModel, {file("a", "2"), file("b", "1")}) != base);
}

TEST_CASE("a manifest is canonical JSON with the OCI members and no name or time") {
  const auto bytes = bytes_of(ArtifactKind::kModel, {file("a", "1")});
  const auto json = parse_json(bytes);
  REQUIRE(json);
  CHECK(canonical_dump(*json) == bytes);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json->items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"artifactType", "config", "layers", "mediaType", "schemaVersion"});
  CHECK(json->at("mediaType") == kManifestMediaType);
  CHECK(json->at("layers").size() == 1);
  CHECK(json->at("layers")[0].at("annotations").size() == 1);
}

TEST_CASE("256 files lie in the manifest, one more makes a tree") {
  const auto inline_form = make_manifest(ArtifactKind::kDataset, many(kInlineFiles));
  REQUIRE(inline_form);
  CHECK_FALSE(inline_form->is_tree);
  const auto tree_form = make_manifest(ArtifactKind::kDataset, many(kInlineFiles + 1));
  REQUIRE(tree_form);
  CHECK(tree_form->is_tree);
  CHECK(tree_form->file_count == kInlineFiles + 1);
  CHECK(tree_form->tree_digest == crypto::sha256(tree_bytes(*tree_form)));
  CHECK(manifest_bytes(*tree_form).size() < 1500);
}

TEST_CASE("both forms come back as they were written") {
  for (const std::size_t count : {std::size_t{1}, kInlineFiles, kInlineFiles + 1, std::size_t{1000}}) {
    INFO(count);
    const auto made = make_manifest(ArtifactKind::kDataset, many(count));
    REQUIRE(made);
    const auto read = parse_manifest(manifest_bytes(*made));
    REQUIRE(read);
    CHECK(read->kind == ArtifactKind::kDataset);
    CHECK(read->is_tree == made->is_tree);
    CHECK(read->file_count == count);
    CHECK(read->content_size_bytes == made->content_size_bytes);
    if (!made->is_tree) {
      check_same(read->files, made->files);
      continue;
    }
    CHECK(read->tree_digest == made->tree_digest);
    CHECK(read->tree_size_bytes == tree_bytes(*made).size());
    const auto files = parse_tree(tree_bytes(*made));
    REQUIRE(files);
    check_same(*files, made->files);
  }
}

TEST_CASE("a manifest needs files, once each, inside the artifact") {
  CHECK(make_manifest(ArtifactKind::kModel, {}).error().slug == "no_files");
  CHECK(make_manifest(ArtifactKind::kModel, {file("a", "1"), file("b", "2"), file("a", "1")}).error().slug ==
        "duplicate_path");
  CHECK(make_manifest(ArtifactKind::kModel, {file("a", "1"), file("../b", "2")}).error().slug == "bad_path");
}

TEST_CASE("a file that is also a folder is refused, also when others sort in between") {
  const auto slug_of = [](const std::vector<std::string>& paths) {
    std::vector<FileEntry> files;
    for (const auto& path : paths) files.push_back(file(path, "x"));
    const auto manifest = make_manifest(ArtifactKind::kModel, std::move(files));
    return manifest ? std::string() : manifest.error().slug + ": " + manifest.error().message;
  };
  CHECK(slug_of({"a", "a b", "a-", "a.b", "a0", "ab/c"}).empty());
  CHECK(slug_of({"a", "a b", "a.b", "a/c"}) == "bad_path: \"a\" is both a file and a folder");
  CHECK(slug_of({"a/b", "a/b.c", "a/b/c/d"}) == "bad_path: \"a/b\" is both a file and a folder");
  // Every set of up to four of these paths, beside the plain definition.
  const std::vector<std::string> paths{"a", "a/a", "a/a/a", "a b", "a b/a", "a.", "a/a.", "aa", "aa/a", "b"};
  for (std::size_t set = 1; set < std::size_t{1} << paths.size(); ++set) {
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if ((set >> i & 1) != 0) chosen.push_back(paths[i]);
    }
    if (chosen.size() > 4) continue;
    bool clashes = false;
    for (const auto& a : chosen) {
      for (const auto& b : chosen) clashes = clashes || b.starts_with(a + "/");
    }
    if (slug_of(chosen).empty() == clashes) FAIL("set " << set);
  }
}

TEST_CASE("tree bytes: the line of the grammar, sizes up to the largest") {
  Manifest manifest;
  manifest.files = {{"a b", crypto::sha256("x"), 0}, {"c", crypto::sha256("y"), ~std::uint64_t{0}}};
  CHECK(tree_bytes(manifest) ==
        crypto::sha256("x").hex() + " 0 a b\n" + crypto::sha256("y").hex() + " 18446744073709551615 c\n");
}

TEST_CASE("damaged manifests and trees are corrupt, not trusted") {
  for (const char* const bad : {"", "[]", "{", "{\"layers\":{\"a\":1}}", "{\"layers\":[1]}", "{\"artifactType\":1}",
                                R"({"layers":[{"mediaType":"application/vnd.mlops.tree.v1","digest":"sha256:)"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}"}) {
    INFO(bad);
    const auto manifest = parse_manifest(bad);
    REQUIRE_FALSE(manifest);
    CHECK(manifest.error().code == ErrorCode::kCorrupt);
    CHECK(manifest.error().slug == "bad_manifest");
  }
  const std::string hex(64, 'a');
  for (const std::string& bad : {hex + " 1 a", hex + " 1\n", hex + "\n", hex + " -1 a\n", hex + " x a\n"}) {
    INFO(bad);
    const auto tree = parse_tree(bad);
    REQUIRE_FALSE(tree);
    CHECK(tree.error().code == ErrorCode::kCorrupt);
  }
}

// manifest.h promises kCorrupt "bad_manifest" for both; a bad digest or path inside comes back as the caller's mistake.
TEST_CASE("a bad digest or path inside stored bytes is corrupt too", "") {
  const std::string hex(64, 'a');
  CHECK(parse_tree("zz 1 a\n").error().code == ErrorCode::kCorrupt);
  CHECK(parse_tree(hex + " 1 ../a\n").error().code == ErrorCode::kCorrupt);
  CHECK(parse_manifest(R"({"layers":[{"digest":"sha256:1"}]})").error().code == ErrorCode::kCorrupt);
}
