// Versions, labels and aliases at any moment; references and what they may be mistaken for.
#include "storage/meta/versions.h"

#include "tests/unit/storage/meta/store_fixture.h"

using namespace mlops;
using namespace mlops::meta;
using model::ArtifactKind;
using test::StoreFixture;

namespace {

struct Fixture : StoreFixture {
  TimestampUs later() {
    const auto now = clock.now_us();
    clock.advance_us(1'000'000);
    return now;
  }
  void alias(const model::Version& version, const std::string& name, bool on = true) {
    REQUIRE(write([&](WriteTx& tx) {
      tx.begin_entry("alias.set", name);
      return set_alias(tx, version.artifact_id, name, on ? std::optional(version.id) : std::nullopt);
    }));
  }
  void label(const model::Version& version, const std::string& name, const std::optional<std::string>& value) {
    REQUIRE(write([&](WriteTx& tx) {
      tx.begin_entry("version.label", name);
      return set_label(tx, version.id, name, value);
    }));
  }
  void remove(const model::Version& version) {
    REQUIRE(write([&](WriteTx& tx) {
      tx.begin_entry("version.delete", version.ref());
      return set_deleted(tx, version.id, "wrong");
    }));
  }
  std::map<std::string, std::string> labels(const model::Version& version, TimestampUs at) {
    using Map = std::map<std::string, std::string>;
    return read<Map>([&](sql::Connection& c) { return labels_of(c, version.id, at); }).value();
  }
  std::vector<std::string> refs(VersionFilter filter) {
    using Versions = std::vector<model::Version>;
    std::vector<std::string> out;
    const auto versions = read<Versions>([&](sql::Connection& c) { return list_versions(c, filter); });
    REQUIRE(versions);
    for (const auto& version : *versions) out.push_back(version.ref());
    return out;
  }
};
using Refs = std::vector<std::string>;

}  // namespace

TEST_CASE("versions count up, one artifact at a time, and are found in every form") {
  Fixture f;
  const auto first = f.add_version(ArtifactKind::kModel, "m", "1");
  const auto second = f.add_version(ArtifactKind::kModel, "m", "2");
  CHECK(f.add_version(ArtifactKind::kModel, "other", "1").number == 1);
  CHECK(first.number == 1);
  CHECK(second.number == 2);
  f.alias(second, "champion");
  for (const auto& ref : {std::string("m@v2"), std::string("model:m@v2"), std::string("m@champion"),
                          "m@" + second.digest.to_string(), "m@" + second.digest.to_string().substr(0, 15)}) {
    INFO(ref);
    CHECK(f.resolve(ref).value().id == second.id);
  }
  CHECK(f.resolve("m@v3").error().slug == "version_not_found");
  CHECK(f.resolve("m@challenger").error().code == ErrorCode::kNotFound);
  CHECK(f.resolve("dataset:m@v1").error().slug == "artifact_not_found");
  CHECK(f.resolve("m#prod").error().slug == "nothing_runs");
  f.verified();
}

TEST_CASE("a mistyped artifact is answered with the nearest name") {
  Fixture f;
  f.add_version(ArtifactKind::kModel, "readmission", "1");
  const auto error = f.resolve("readmision@v1").error();
  CHECK(error.slug == "artifact_not_found");
  CHECK(error.hint.find("readmission") != std::string::npos);
}

TEST_CASE("a name of a model and a dataset is ambiguous and lists both") {
  Fixture f;
  f.add_version(ArtifactKind::kModel, "m", "1");
  f.add_version(ArtifactKind::kDataset, "m", "2");
  const auto error = f.resolve("m@v1").error();
  CHECK(error.code == ErrorCode::kConflict);
  CHECK(error.slug == "ambiguous_reference");
  CHECK(error.message.find("model:m@v1") != std::string::npos);
  CHECK(error.message.find("dataset:m@v1") != std::string::npos);
  CHECK(parse_json(error.detail).value().at("candidates") == Json({"dataset:m@v1", "model:m@v1"}));
  CHECK(f.resolve("model:m@v1").value().kind == ArtifactKind::kModel);
  CHECK(f.resolve("dataset:m@v1").value().kind == ArtifactKind::kDataset);
  const auto bare = f.read<ArtifactRow>([](sql::Connection& c) { return the_artifact(c, {}, "m"); });
  CHECK(bare.error().slug == "ambiguous_reference");
}

TEST_CASE("a digest prefix that two versions share lists both") {
  Fixture f;
  // Two contents whose manifests agree in the first hex digit are soon found; 8 digits are not, so rows are made by
  // hand.
  REQUIRE(f.write([](WriteTx& tx) -> Status {
    tx.begin_entry("version.register", "m");
    MLOPS_ASSIGN(const auto artifact, upsert_artifact(tx, ArtifactKind::kModel, "m"));
    for (const char tail : {'1', '2'}) {
      model::Version version;
      version.artifact_id = artifact.id;
      version.digest = crypto::Digest::parse_hex("abcdef01" + std::string(55, '0') + tail).value();
      MLOPS_TRY(insert_version(tx, version, "{}"));
    }
    return {};
  }));
  const auto error = f.resolve("m@sha256:abcdef01").error();
  CHECK(error.slug == "ambiguous_reference");
  CHECK(error.message.find("m@v1") != std::string::npos);
  CHECK(error.message.find("m@v2") != std::string::npos);
  CHECK(f.resolve("m@sha256:abcdef01" + std::string(55, '0') + "2").value().number == 2);
}

TEST_CASE("a deleted version is a tombstone; the same bytes registered again shadow it") {
  Fixture f;
  const auto first = f.add_version(ArtifactKind::kModel, "m", "1");
  f.remove(first);
  const auto tombstone = f.resolve("m@v1");
  REQUIRE(tombstone);
  CHECK(tombstone->deleted_at_us > 0);
  CHECK(tombstone->deleted_reason == "wrong");
  CHECK(f.resolve("m@" + first.digest.to_string()).value().number == 1);
  const auto again = f.add_version(ArtifactKind::kModel, "m", "1");
  CHECK(again.number == 2);
  CHECK(again.digest == first.digest);
  CHECK(f.resolve("m@" + first.digest.to_string()).value().number == 2);
  CHECK(f.refs({.name = "m"}) == Refs{"m@v2"});
  CHECK(f.refs({.name = "m", .include_deleted = true}) == Refs{"m@v2", "m@v1"});
  f.remove(again);
  CHECK(f.resolve("m@" + first.digest.to_string()).value().number == 2);
  f.verified();
}

TEST_CASE("the same bytes cannot live twice under one name") {
  Fixture f;
  const auto first = f.add_version(ArtifactKind::kModel, "m", "1");
  const auto twin = f.write([&](WriteTx& tx) {
    tx.begin_entry("version.register", "m");
    auto copy = first;
    return insert_version(tx, copy, "{}");
  });
  REQUIRE_FALSE(twin);
  CHECK(twin.error().slug == "constraint");
  CHECK(f.add_version(ArtifactKind::kModel, "m", "2").number == 2);  // the failed one took no number
}

TEST_CASE("an alias is asked for as of any moment") {
  Fixture f;
  const auto before = f.later();
  const auto first = f.add_version(ArtifactKind::kModel, "m", "1");
  const auto second = f.add_version(ArtifactKind::kModel, "m", "2");
  f.later();
  f.alias(first, "champion");
  f.later();
  const auto at_first = f.clock.now_us();
  f.later();
  f.alias(second, "champion");
  f.later();
  const auto at_second = f.clock.now_us();
  f.later();
  f.alias(second, "champion", false);
  CHECK(f.resolve("m@champion", before).error().code == ErrorCode::kNotFound);
  CHECK(f.resolve("m@champion", at_first).value().number == 1);
  CHECK(f.resolve("m@champion", at_second).value().number == 2);
  CHECK(f.resolve("m@champion").error().code == ErrorCode::kNotFound);
  CHECK(f.resolve("m@v1", before - 1).error().code == ErrorCode::kNotFound);
  CHECK(f.resolve("m@v1", at_first).value().id == first.id);
}

TEST_CASE("labels keep their history, and nothing changes when nothing is said anew") {
  Fixture f;
  const auto version = f.add_version(ArtifactKind::kModel, "m", "1");
  f.later();
  const auto unlabelled = f.clock.now_us();
  f.later();
  f.label(version, "stage", "draft");
  f.later();
  const auto draft = f.clock.now_us();
  f.label(version, "stage", "draft");
  CHECK(f.count("version_labels") == 1);
  f.later();
  f.label(version, "stage", "ready");
  f.later();
  CHECK(f.labels(version, unlabelled).empty());
  CHECK(f.labels(version, draft).at("stage") == "draft");
  CHECK(f.labels(version, 0).at("stage") == "ready");
  CHECK(f.refs({.label_name = "stage", .label_value = "ready"}) == Refs{"m@v1"});
  CHECK(f.refs({.label_name = "stage", .label_value = "draft"}).empty());
  CHECK(f.refs({.label_name = "stage", .label_value = "draft", .as_of_us = draft}) == Refs{"m@v1"});
  f.label(version, "stage", std::nullopt);
  CHECK(f.labels(version, 0).empty());
  f.verified();
}

TEST_CASE("versions are listed newest first, in pages, as of a moment") {
  Fixture f;
  Refs all;
  for (int i = 1; i <= 5; ++i) {
    f.add_version(ArtifactKind::kModel, "m", std::to_string(i));
    all.insert(all.begin(), "m@v" + std::to_string(i));
  }
  const auto then = f.clock.now_us() + 10;
  f.clock.advance_us(1'000'000);
  f.add_version(ArtifactKind::kDataset, "d", "1");
  CHECK(f.refs({.name = "m"}) == all);
  CHECK(f.refs({.as_of_us = then}) == all);
  CHECK(f.refs({.kind = ArtifactKind::kDataset}) == Refs{"d@v1"});
  Refs paged;
  VersionFilter page{.name = "m", .limit = 2};
  while (true) {
    const auto refs = f.refs(page);
    if (refs.empty()) break;
    paged.insert(paged.end(), refs.begin(), refs.end());
    page.after_id = f.resolve(refs.back()).value().id;
  }
  CHECK(paged == all);
}

namespace {

std::vector<std::string> names_in_pages(Fixture& f, std::size_t limit) {
  using Rows = std::vector<ArtifactRow>;
  std::vector<std::string> names;
  std::string after;
  while (true) {
    const auto rows =
        f.read<Rows>([&](sql::Connection& c) { return list_artifacts(c, {.after = after, .limit = limit}); }).value();
    if (rows.empty() || names.size() > 20) return names;
    for (const auto& row : rows) names.push_back(row.name);
    // As the API makes its cursor.
    after = rows.back().name + ":" + std::string(to_word(rows.back().kind));
  }
}

}  // namespace

TEST_CASE("artifacts are listed in pages by name and kind, and by prefix") {
  Fixture f;
  for (const std::string name : {"a", "b", "c/x", "c/y"}) f.add_version(ArtifactKind::kModel, name, "1");
  f.add_version(ArtifactKind::kDataset, "b", "1");
  CHECK(names_in_pages(f, 2) == std::vector<std::string>{"a", "b", "b", "c/x", "c/y"});
  using Rows = std::vector<ArtifactRow>;
  const auto list = [&](const ArtifactFilter& filter) {
    return f.read<Rows>([&](sql::Connection& c) { return list_artifacts(c, filter); }).value().size();
  };
  CHECK(list({.prefix = "c/"}) == 2);
  CHECK(list({.kind = ArtifactKind::kDataset}) == 1);
  CHECK(list({.prefix = "%"}) == 0);
}

// The cursor is compared as name || ':' || kind while the order is by name: ':' sorts after '-', '.', '/' and digits.
TEST_CASE("pages of artifacts lose none whose name goes on from another's", "") {
  Fixture f;
  for (const std::string name : {"a", "a-b", "a/b", "a1"}) f.add_version(ArtifactKind::kModel, name, "1");
  CHECK(names_in_pages(f, 1) == std::vector<std::string>{"a", "a-b", "a/b", "a1"});
}
