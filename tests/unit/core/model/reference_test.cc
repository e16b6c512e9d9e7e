// Every form of a reference, read and written back, and the forms that are none.
#include "core/model/reference.h"

#include <string>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;
using namespace std::string_literals;
using Selector = Reference::Selector;

TEST_CASE("every form of a reference is read and written back") {
  struct Row {
    std::string text;
    std::optional<ArtifactKind> kind;
    std::string name;
    Selector selector;
    std::int64_t number;
    std::string word;
  };
  const std::string hex64(64, 'a');
  const Row rows[] = {
      {"readmission", {}, "readmission", Selector::kBare, 0, ""},
      {"model:readmission", ArtifactKind::kModel, "readmission", Selector::kBare, 0, ""},
      {"hospital/readmission@v3", {}, "hospital/readmission", Selector::kNumber, 3, ""},
      {"dataset:patients@v9223372036854775807", ArtifactKind::kDataset, "patients", Selector::kNumber, INT64_MAX, ""},
      {"a@sha256:0123abcd", {}, "a", Selector::kDigest, 0, "0123abcd"},
      {"a@sha256:" + hex64, {}, "a", Selector::kDigest, 0, hex64},
      {"model:a@champion", ArtifactKind::kModel, "a", Selector::kAlias, 0, "champion"},
      {"a@v3a", {}, "a", Selector::kAlias, 0, "v3a"},
      {"a@latest", {}, "a", Selector::kAlias, 0, "latest"},
      {"a#prod", {}, "a", Selector::kEnvironment, 0, "prod"},
      {"dataset:x/y#eu/prod", ArtifactKind::kDataset, "x/y", Selector::kEnvironment, 0, "eu/prod"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto reference = parse_reference(row.text);
    REQUIRE(reference);
    CHECK(reference->kind == row.kind);
    CHECK(reference->name == row.name);
    CHECK(reference->selector == row.selector);
    CHECK(reference->number == row.number);
    CHECK(reference->text == row.word);
    CHECK(reference->to_string() == row.text);
  }
}

TEST_CASE("what is no reference is refused as the caller's mistake") {
  for (const std::string& bad : {""s,
                                 "@v1"s,
                                 "#prod"s,
                                 ":a@v1"s,
                                 "a@"s,
                                 "a#"s,
                                 "a@v0"s,
                                 "a@v-"s,
                                 "a@v99999999999999999999"s,
                                 "a@v1@v2"s,
                                 "a@v1#prod"s,
                                 "a#prod@v1"s,
                                 "a@sha256:"s,
                                 "a@sha256:0123abc"s,
                                 "a@sha256:0123ABCD"s,
                                 "a@sha256:0123abcg"s,
                                 "a@sha256:" + std::string(65, 'a'),
                                 "a@SHA256:0123abcd"s,
                                 "a@sha512:0123abcd"s,
                                 "thing:a@v1"s,
                                 "Model:a@v1"s,
                                 "model:dataset:a@v1"s,
                                 "model::a@v1"s,
                                 "../x@v1"s,
                                 "..\\x@v1"s,
                                 "%2e%2e@v1"s,
                                 "x;/../y@v1"s,
                                 "a@../b"s,
                                 "a#../b"s,
                                 "a@v1\n"s,
                                 "a\0@v1"s,
                                 "a@v1\0"s,
                                 " a@v1"s,
                                 "a @v1"s,
                                 "a@v1 "s,
                                 "a@V3"s,
                                 "a@+3"s,
                                 "a@3"s,
                                 "a@v+3"s}) {
    INFO(bad);
    const auto reference = parse_reference(bad);
    REQUIRE_FALSE(reference);
    CHECK(reference.error().code == ErrorCode::kInvalid);
    CHECK((reference.error().slug == "bad_reference" || reference.error().slug == "bad_name"));
    CHECK_FALSE(reference.error().hint.empty());
  }
}

TEST_CASE("a bare name never becomes a version by itself") {
  const auto bare = parse_version_reference("model:a");
  REQUIRE_FALSE(bare);
  CHECK(bare.error().code == ErrorCode::kInvalid);
  CHECK(bare.error().slug == "version_needed");
  CHECK(bare.error().hint.find("@v3") != std::string::npos);
  CHECK(parse_version_reference("model:a@v1"));
  CHECK(parse_version_reference("a#prod"));
}
