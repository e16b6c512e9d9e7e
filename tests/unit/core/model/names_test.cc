// The grammar of names, and what an attacker would rather write.
#include "core/model/names.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;
using namespace std::string_literals;

namespace {

// Spellings that mean something to a path, a shell, a query or a terminal; none is a name of anything.
const std::vector<std::string> kHostile{
    "",         "../x",  "..\\x", "%2e%2e",      "x;/../y", "x/../y",        "..",   ".",   "x/./y",
    "/x",       "x/",    "x//y",  "x\\y",        "x y",     "x\ty",          "x\ny", "x\r", "x\0y"s,
    "x\x1b[2J", "x\x7f", "x'--",  "x\" OR 1=1",  "x$(id)",  "x`id`",         "x|y",  "x&y", "x*",
    "x?y",      "~x",    "X",     "caf\xc3\xa9", "x\xff",   "x\xe2\x80\xae", "-x",   "x-",  "_x",
    "x_",       ".x",    "x.",    "x..y",        "x%2fy",   "x:y",           "x@y",  "x#y", "\xef\xbb\xbfx",
};

}  // namespace

TEST_CASE("artifact names: what the grammar allows") {
  for (const std::string good : {"a", "0", "readmission", "hospital/readmission", "a.b_c-d", "1/2/3/4/5/6/7/8"}) {
    INFO(good);
    CHECK(check_artifact_name(good));
  }
}

TEST_CASE("no hostile spelling is an artifact, an environment or an alias") {
  for (const auto& bad : kHostile) {
    INFO(bad);
    for (auto* check : {check_artifact_name, check_environment_name, check_alias}) {
      const auto status = check(bad);
      REQUIRE_FALSE(status);
      CHECK(status.error().code == ErrorCode::kInvalid);
      CHECK(status.error().slug == "bad_name");
    }
  }
}

TEST_CASE("the refusal of a name shows no control byte of it") {
  const auto status = check_artifact_name("x\x1b]0;owned\x07\n");
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find('\x1b') == std::string::npos);
  CHECK(status.error().message.find('\x07') == std::string::npos);
  CHECK(status.error().message.find('\n') == std::string::npos);
  CHECK(status.error().message.find("\\x1b") != std::string::npos);
}

TEST_CASE("names have limits, each on its last byte") {
  const std::string segment(63, 'a');
  CHECK(check_artifact_name(segment));
  CHECK_FALSE(check_artifact_name(segment + "a"));
  const auto longest = segment + "/" + segment + "/" + segment + "/aaaaaaaa";
  REQUIRE(longest.size() == 200);
  CHECK(check_artifact_name(longest));
  CHECK_FALSE(check_artifact_name(longest + "a"));
  CHECK_FALSE(check_artifact_name("1/2/3/4/5/6/7/8/9"));
  CHECK(check_environment_name("a/b/c/d"));
  CHECK_FALSE(check_environment_name("a/b/c/d/e"));
  CHECK(check_environment_name(std::string(50, 'a') + "/" + std::string(49, 'a')));
  CHECK_FALSE(check_environment_name(std::string(50, 'a') + "/" + std::string(50, 'a')));
}

TEST_CASE("an alias is never a version number, nor a path") {
  for (const std::string good : {"champion", "v", "v3a", "v1.2", "a-b_c.d", "x9"}) {
    INFO(good);
    CHECK(check_alias(good));
  }
  for (const char* const bad : {"v3", "v0", "v03", "v12345678901234567890123", "3x", "a/b", "Champion"}) {
    INFO(bad);
    CHECK_FALSE(check_alias(bad));
  }
  CHECK(check_alias(std::string(63, 'a')));
  CHECK_FALSE(check_alias(std::string(64, 'a')));
}

TEST_CASE("principals and keys have their own alphabets") {
  CHECK(check_principal_name("rita@st-elsewhere.example"));
  CHECK(check_principal_name(std::string(64, 'a')));
  for (const std::string& bad : {""s, std::string(65, 'a'), "Rita"s, "a/b"s, "a b"s, "a\n"s, "a\0"s, "a;b"s}) {
    INFO(bad);
    CHECK_FALSE(check_principal_name(bad));
  }
  CHECK(check_key("Team/Sub-key_1.2", "label"));
  for (const std::string& bad : {""s, std::string(65, 'a'), "a b"s, "a=b"s, "a\n"s, "caf\xc3\xa9"s}) {
    INFO(bad);
    CHECK_FALSE(check_key(bad, "label"));
  }
}

TEST_CASE("file paths stay inside the artifact") {
  for (const std::string good : {"a", "data/patients.csv", "with space", "caf\xc3\xa9/x", "..a/b", "a/...", "%2e%2e"}) {
    INFO(good);
    CHECK(check_file_path(good));
  }
  for (const std::string& bad : {""s,      "/a"s,    "a/"s,     "a//b"s,   "."s,
                                 ".."s,    "../a"s,  "a/../b"s, "a/.."s,   "./a"s,
                                 "a/./b"s, "..\\a"s, "a\\b"s,   "C:\\a"s,  "a\nb"s,
                                 "a\0b"s,  "a\x7f"s, "\xff"s,   "a/\xc3"s, std::string(1025, 'a')}) {
    INFO(bad);
    const auto status = check_file_path(bad);
    REQUIRE_FALSE(status);
    CHECK(status.error().slug == "bad_path");
  }
  CHECK(check_file_path(std::string(1024, 'a')));
}

TEST_CASE("free text holds lines and tabs, no other control") {
  CHECK(check_free_text("first\nsecond\tthird caf\xc3\xa9", "reason"));
  CHECK(check_free_text(std::string(4096, 'a'), "reason"));
  for (const std::string& bad : {std::string(4097, 'a'), "\x1b[0m"s, "a\r\nb"s, "a\0b"s, "\x7f"s, "\xc3"s}) {
    const auto status = check_free_text(bad, "reason");
    REQUIRE_FALSE(status);
    CHECK(status.error().slug == "bad_text");
    CHECK(status.error().message.find("reason") != std::string::npos);
  }
}

TEST_CASE("a metric may be that of a group of people") {
  for (const auto* name : {"auc", "auc{sex=F}", "roc/auc{age=65+}", "auc{age=18-44}", "auc{hba1c=<7}"}) {
    INFO(name);
    CHECK(check_metric_name(name).has_value());
  }
  for (const auto* name : {"", "auc{", "auc{}", "auc{sex}", "auc{sex=}", "auc{=F}", "{sex=F}", "auc{sex=F}x",
                           "auc{sex=F}{age=1}", "auc{sex=F;}", "auc{sex=a b}"}) {
    INFO(name);
    CHECK_FALSE(check_metric_name(name).has_value());
  }
}
