// Registering and retiring versions: what is refused, what stays unchanged, what fsck sees.
#include "daemon/domain/registry.h"

#include <fmt/format.h>

#include <fstream>

#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

using Fixture = DomainFixture;

std::string slug_of(const Result<Registered>& result) {
  return result ? "registered" : result.error().slug;
}

}  // namespace

TEST_CASE("the bytes come first, and what is missing is named") {
  Fixture f;
  auto version = f.wanted(ArtifactKind::kModel, "m", "here");
  const auto absent = crypto::sha256(std::string_view("absent"));
  version.files.push_back({"g", absent, 6});
  const auto refused = f.registry.register_version(f.dora(), version, Commit::kKeep);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "blobs_missing");
  CHECK(parse_json(refused.error().detail)->at("missing") == Json({absent.to_string()}));
  CHECK(f.count("versions") == 0);
}

TEST_CASE("the same bytes are the same version, and the note says what was not applied") {
  Fixture f;
  auto version = f.wanted(ArtifactKind::kModel, "m", "1");
  version.params = {{"lr", "0.1"}};
  const auto first = f.add(version);
  const auto head = f.verified().head;
  const auto again = f.registry.register_version(f.dora(), version, Commit::kKeep);
  REQUIRE(again);
  CHECK_FALSE(again->created);
  CHECK(again->view.version.id == first.version.id);
  CHECK(again->note.find("not applied") == std::string::npos);
  version.params = {{"lr", "0.2"}};
  CHECK(f.registry.register_version(f.dora(), version, Commit::kKeep)->note.find("not applied") != std::string::npos);
  CHECK(f.verified().head == head);
}

TEST_CASE("a dry registration tells the number and takes none") {
  Fixture f;
  const auto version = f.wanted(ArtifactKind::kModel, "m", "1");
  const auto dry = f.registry.register_version(f.dora(), version, Commit::kDryRun);
  REQUIRE(dry);
  CHECK(dry->created);
  CHECK(dry->view.version.ref() == "m@v1");
  CHECK(f.count("versions") == 0);
  CHECK(f.count("artifacts") == 0);
  CHECK(f.add(version).version.number == 1);
}

TEST_CASE("a dataset that nobody classified counts as personal; what is made from it too") {
  Fixture f;
  const auto raw = f.add(f.wanted(ArtifactKind::kDataset, "raw", "1"));
  CHECK(raw.version.sensitivity_assumed);
  CHECK(raw.version.sensitivity == Sensitivity::kPersonal);
  auto declared = f.wanted(ArtifactKind::kDataset, "open", "2");
  declared.sensitivity = Sensitivity::kNone;
  CHECK(f.add(declared).version.sensitivity == Sensitivity::kNone);
  auto model = f.wanted(ArtifactKind::kModel, "m", "3");
  model.sensitivity = Sensitivity::kNone;
  model.inputs = {{"raw@v1", "train"}};
  CHECK(f.add(model).version.sensitivity == Sensitivity::kPersonal);
}

TEST_CASE("bad input registers nothing") {
  Fixture f;
  f.model_version("used", "u");
  f.model_version("gone", "g");
  REQUIRE(f.registry.remove(f.dora(), "gone@v1", "wrong", Commit::kKeep));
  const auto before = f.verified().head;
  const auto with = [&](const std::function<void(NewVersion&)>& change) {
    auto version = f.wanted(ArtifactKind::kModel, "m", "1");
    change(version);
    return slug_of(f.registry.register_version(f.dora(), version, Commit::kKeep));
  };
  CHECK(with([](NewVersion& v) { v.name = "../m"; }) == "bad_name");
  CHECK(with([](NewVersion& v) { v.files.front().path = "..\\x"; }) == "bad_path");
  CHECK(with([](NewVersion& v) { v.files.clear(); }) == "no_files");
  CHECK(with([](NewVersion& v) { v.files.push_back(v.files.front()); }) == "duplicate_path");
  CHECK(with([](NewVersion& v) { v.files.front().size_bytes = 2; }) == "blobs_missing");
  CHECK(with([](NewVersion& v) { v.metrics["auc"] = std::numeric_limits<double>::quiet_NaN(); }) == "bad_metric");
  CHECK(with([](NewVersion& v) { v.labels["a b"] = "x"; }) == "bad_name");
  CHECK(with([](NewVersion& v) { v.description = "\x1b[2J"; }) == "bad_text");
  CHECK(with([](NewVersion& v) { v.inputs = {{"used@v1", "masked"}}; }) == "reserved_role");
  CHECK(with([](NewVersion& v) { v.inputs = {{"used", "train"}}; }) == "version_needed");
  CHECK(with([](NewVersion& v) { v.inputs = {{"used@v9", "train"}}; }) == "version_not_found");
  CHECK(with([](NewVersion& v) { v.inputs = {{"gone@v1", "train"}}; }) == "version_deleted");
  CHECK(f.verified().head == before);
  CHECK(f.resolve("m@v1").error().slug == "artifact_not_found");
}

TEST_CASE("more than 256 files make a tree: shown without files, all on request") {
  Fixture f;
  auto version = f.wanted(ArtifactKind::kDataset, "many", "0", "part-000");
  for (int i = 1; i < 300; ++i) version.files.push_back({fmt::format("part-{:03}", i), version.files[0].digest, 1});
  f.add(version);
  const auto shown = f.registry.show("many@v1", 0);
  REQUIRE(shown);
  CHECK(shown->files_truncated);
  CHECK(shown->files->empty());
  CHECK(f.registry.files("many@v1")->size() == 300);
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
}

TEST_CASE("an alias tells where it pointed; a deleted version loses its aliases") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  CHECK(f.registry.set_alias(f.dora(), "m@v1", "champion", Commit::kKeep)->previous.empty());
  CHECK(f.registry.set_alias(f.dora(), "m@v2", "champion", Commit::kKeep)->previous == "m@v1");
  const auto head = f.verified().head;
  CHECK(f.registry.set_alias(f.dora(), "m@champion", "champion", Commit::kKeep)->ref == "m@v2");
  CHECK(f.verified().head == head);
  CHECK(f.registry.set_alias(f.dora(), "m@v1", "v2", Commit::kKeep).error().slug == "bad_name");
  CHECK(f.registry.remove_alias(f.dora(), "m", "challenger", Commit::kKeep).error().slug == "alias_not_found");
  CHECK(f.registry.remove(f.dora(), "m@v2", " ", Commit::kKeep).error().slug == "reason_needed");
  REQUIRE(f.registry.remove(f.dora(), "m@v2", "wrong", Commit::kKeep));
  CHECK(f.resolve("m@champion").error().code == ErrorCode::kNotFound);
  CHECK(f.registry.label(f.dora(), "m@v2", {{"a", "b"}}, {}, Commit::kKeep).error().slug == "version_deleted");
  CHECK(f.registry.show("m@v2", 0)->version.deleted_reason == "wrong");
  f.verified();
}

TEST_CASE("what runs or was built upon cannot be deleted") {
  Fixture f;
  f.environments("  - {name: dev, clearance: child}\n");
  f.model_version("m", "1");
  f.model_version("m", "2");
  auto child = f.wanted(ArtifactKind::kModel, "child", "3");
  child.inputs = {{"m@v2", "base"}};
  f.add(child);
  REQUIRE(f.promote("m@v1", "dev"));
  CHECK(f.registry.remove(f.dora(), "m@v1", "x", Commit::kKeep).error().slug == "version_in_use");
  CHECK(f.registry.remove(f.dora(), "m@v2", "x", Commit::kKeep).error().slug == "version_in_use");
  REQUIRE(f.registry.remove(f.dora(), "child@v1", "x", Commit::kKeep));
  CHECK(f.registry.remove(f.dora(), "m@v2", "x", Commit::kKeep));
}

TEST_CASE("two versions differ in files, params and inputs") {
  Fixture f;
  auto first = f.wanted(ArtifactKind::kModel, "m", "1", "a");
  first.params = {{"lr", "0.1"}};
  f.add(first);
  auto second = f.wanted(ArtifactKind::kModel, "m", "22", "a");
  second.files.push_back({"b", f.content.put("3")->digest, 1});
  second.params = {{"lr", "0.2"}};
  f.add(second);
  const auto diff = f.registry.diff("m@v1", "m@v2");
  REQUIRE(diff);
  CHECK_FALSE(diff->same);
  REQUIRE(diff->changed.size() == 1);
  CHECK(diff->changed.front().a_size_bytes == 1);
  CHECK(diff->changed.front().b_size_bytes == 2);
  REQUIRE(diff->added.size() == 1);
  CHECK(diff->added.front().path == "b");
  CHECK(diff->removed.empty());
  CHECK_FALSE(diff->metadata.empty());
  CHECK(f.registry.diff("m@v1", "m@v1")->same);
}

TEST_CASE("fsck names a damaged blob, and registering the same bytes again heals it") {
  Fixture f;
  f.model_version("m", "weights");
  CHECK(f.integrity.fsck(FsckDepth::kReadData)->manifests == 1);
  const auto digest = crypto::sha256(std::string_view("weights"));
  f.damage(digest);
  CHECK(f.integrity.fsck(FsckDepth::kStructure));  // the size is right: only reading finds it
  const auto broken = f.integrity.fsck(FsckDepth::kReadData);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().slug == "store_broken");
  const auto problems = parse_json(broken.error().detail)->at("problems");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].at("object") == digest.to_string());
  CHECK_FALSE(f.integrity.fsck(FsckDepth::kStructure));  // known now
  REQUIRE(f.content.put("weights"));
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
}

// The same input in the same role twice: today a bare constraint failure of the database, or accepted once.
TEST_CASE("an input named twice is recorded once or refused as the caller's mistake") {
  Fixture f;
  f.model_version("base", "b");
  auto version = f.wanted(ArtifactKind::kModel, "m", "1");
  version.inputs = {{"base@v1", "train"}, {"base@v1", "train"}};
  const auto registered = f.registry.register_version(f.dora(), version, Commit::kKeep);
  if (!registered) {
    CHECK(registered.error().code == ErrorCode::kInvalid);
  } else {
    CHECK(registered->view.inputs.size() == 1);
  }
}

TEST_CASE("environments name only what is declared, and no cycle closes over two files") {
  Fixture f;
  const auto apply = [&](const std::string& list) {
    const auto applied = f.compliance.apply_environments(
        f.dora(), "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n" + list, "env.yaml", Commit::kKeep);
    return applied ? std::string(to_word(applied->front().change)) : applied.error().slug;
  };
  CHECK(apply("  - {name: a, clearance: none, after: [nowhere]}\n") == "environment_invalid");
  CHECK(apply("  - {name: a, clearance: none, policies: [absent]}\n") == "environment_invalid");
  CHECK(apply("  - {name: a, clearance: none}\n") == "created");
  CHECK(apply("  - {name: a, clearance: none}\n") == "unchanged");
  CHECK(apply("  - {name: b, clearance: none, after: [a]}\n") == "created");
  CHECK(apply("  - {name: a, clearance: none, after: [b]}\n") == "environment_invalid");
  CHECK(f.compliance.environments(0)->size() == 2);
  f.verified();
}
