#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "cli/cmd/artifact_manifest.h"
#include "cli/cmd/file_walk.h"
#include "cli/cmd/register_spec.h"
#include "cli/cmd/rows.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"

using namespace mlops;
using namespace mlops::cli;

TEST_CASE("roles pair with inputs by place, one role serves all, role=REF says both") {
  using Pairs = std::vector<InputSpec>;
  CHECK(*pair_inputs({"a@v1", "b@v2"}, {"train", "test"}) == Pairs{{"a@v1", "train"}, {"b@v2", "test"}});
  CHECK(*pair_inputs({"a@v1", "b@v2"}, {"train"}) == Pairs{{"a@v1", "train"}, {"b@v2", "train"}});
  CHECK(*pair_inputs({"test=a@v1", "b@v2"}, {}) == Pairs{{"a@v1", "test"}, {"b@v2", ""}});
  CHECK(*pair_inputs({}, {}) == Pairs{});
}

TEST_CASE("roles that do not fit the inputs are a usage error") {
  CHECK(pair_inputs({"a@v1", "b@v1", "c@v1"}, {"x", "y"}).error().slug == "usage");
  CHECK(pair_inputs({}, {"x"}).error().slug == "usage");
  CHECK(pair_inputs({"train=a@v1"}, {"x"}).error().slug == "usage");
  CHECK(pair_inputs({"a"}, {}).error().slug == "version_needed");
}

TEST_CASE("a manifest is read whole") {
  const auto manifest = parse_artifact_manifest(R"(
kind: model
name: m
description: a model
sensitivity: personal
git: ..
inputs:
  - {ref: patients@v1, role: train}
  - codes@v2
params: {epochs: 20, note: "x"}
metrics: {auc: 0.81}
labels: {team: cardio}
)",
                                                "mlops.yaml");
  REQUIRE(manifest);
  CHECK(manifest->kind == model::ArtifactKind::kModel);
  CHECK(manifest->name == "m");
  CHECK(manifest->inputs == std::vector<InputSpec>{{"patients@v1", "train"}, {"codes@v2", ""}});
  CHECK(manifest->params.at("epochs") == "20");
  CHECK(manifest->metrics.at("auc") == Approx(0.81));
  CHECK(manifest->labels.at("team") == "cardio");
  CHECK(manifest->git == "..");
}

TEST_CASE("mistakes in a manifest are named by line and column") {
  struct Row {
    const char* yaml;
    const char* where;
  };
  const Row rows[] = {{"kind: modle\n", "f.yaml:1:7"},        {"name: m\nmetrics: {auc: high}\n", "f.yaml:2:16"},
                      {"inputs: a@v1\n", "f.yaml:1:9"},       {"inputs:\n  - {role: train}\n", "f.yaml:2:5"},
                      {"inputs: [nothing]\n", "f.yaml:1:10"}, {"sensitivity: secret\n", "f.yaml:1:14"},
                      {"metrik: {a: 1}\n", "f.yaml:1:1"},     {"- a\n", "f.yaml:1:1"}};
  for (const auto& row : rows) {
    INFO(row.yaml);
    const auto manifest = parse_artifact_manifest(row.yaml, "f.yaml");
    REQUIRE_FALSE(manifest);
    CHECK(manifest.error().code == ErrorCode::kInvalid);
    CHECK(manifest.error().message.find(row.where) != std::string::npos);
  }
  CHECK(parse_artifact_manifest("", "f.yaml"));
}

TEST_CASE("flags win over the manifest key by key, inputs as a whole") {
  ArtifactManifest file;
  file.description = "old";
  file.params = {{"a", "1"}, {"b", "2"}};
  file.inputs = {{"x@v1", ""}};
  ArtifactManifest flags;
  flags.params = {{"b", "3"}};
  flags.inputs = {{"y@v1", "test"}};
  const auto merged = merge(file, flags, model::ArtifactKind::kModel, "m");
  REQUIRE(merged);
  CHECK(merged->description == "old");
  CHECK(merged->params == std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}});
  CHECK(merged->inputs == flags.inputs);
  file.name = "other";
  CHECK(merge(file, flags, model::ArtifactKind::kModel, "m").error().slug == "manifest_mismatch");
}

TEST_CASE("an input without a role has its kind's default") {
  ArtifactManifest manifest;
  manifest.inputs = {{"x@v1", ""}};
  CHECK(register_body(manifest, model::ArtifactKind::kModel, "m")["inputs"][0]["role"] == "train");
  CHECK(register_body(manifest, model::ArtifactKind::kDataset, "m")["inputs"][0]["role"] == "base");
}

TEST_CASE("a walk is sorted, keeps hidden files and reports empty directories") {
  TemporaryDirectory dir;
  dir.write("b/two", "22");
  dir.write("a", "1");
  dir.write(".hidden", "333");
  std::filesystem::create_directories(dir.path("empty/inner"));
  const auto walk = walk_artifact(dir.path());
  REQUIRE(walk);
  std::vector<std::string> paths;
  for (const auto& file : walk->files) paths.push_back(file.path);
  CHECK(paths == std::vector<std::string>{".hidden", "a", "b/two"});
  CHECK(walk->size_bytes == 6);
  CHECK(walk->empty_directories == std::vector<std::string>{"empty/inner/"});
  const auto single = walk_artifact(dir.path("b/two"));
  REQUIRE(single);
  CHECK(single->files.size() == 1);
  CHECK(single->files[0].path == "two");
}

TEST_CASE("what is no plain file is refused by name") {
  TemporaryDirectory dir;
  dir.write("d/file", "x");
  std::filesystem::create_symlink("file", dir.path("d/link"));
  CHECK(walk_artifact(dir.path("d")).error().slug == "symlink_refused");
  CHECK(walk_artifact(dir.path("d/link")).error().slug == "symlink_refused");
  std::filesystem::remove(dir.path("d/link"));
  REQUIRE(::mkfifo(dir.path("d/pipe").c_str(), 0600) == 0);
  const auto pipe = walk_artifact(dir.path("d"));
  REQUIRE_FALSE(pipe);
  CHECK(pipe.error().slug == "not_a_file");
  CHECK(pipe.error().message.find("a pipe") != std::string::npos);
  CHECK(walk_artifact(dir.path("none")).error().slug == "path_not_found");
  std::filesystem::create_directory(dir.path("empty"));
  CHECK(walk_artifact(dir.path("empty")).error().slug == "no_files");
}

TEST_CASE("register refuses wrong names and numbers before anything is sent") {
  FakeSession bad_name({"model", "Bad Name", "/"});
  CHECK(kRegisterCommand.run(bad_name) == kExitUsage);
  TemporaryDirectory dir;
  dir.write("f", "x");
  FakeSession bad_metric({"model", "m", dir.path("f")});
  bad_metric.options["--metric"] = {"auc=nan"};
  CHECK(kRegisterCommand.run(bad_metric) == kExitUsage);
  CHECK(bad_name.fake.calls.empty());
  CHECK(bad_metric.fake.calls.empty());
}
