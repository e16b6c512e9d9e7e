// Runs tests/cases/*.yaml; adding one needs no C++. `mlopsctl policy test` runs the same files.
//
//   file: notes.json                                       the input's name tells its format; t.csv unless said
//   at: 2026-12-31                                         the date lint looks at
//   want: {output: |-text}                                 the masked table, byte for byte
//   want: {refused: slug, facts_have: [words]}             a refusal, and words its facts must hold
//   want: {lint: [slug…]}                                  all findings, in the order of the text
//   want: {diff: [loosened class us_ssn…]}                 what is different from the policy under `old`
//   want: {tests: [pass, fail…]}                           what comes of the policy's own tests of rows
//   want.lacks: [values]                                   must stand neither in the output nor in a refusal
#include <filesystem>

#include "core/base/env.h"
#include "policies/engine/trial.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::vector<std::string> case_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MLOPS_SOURCE_DIR) + "/tests/cases")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("cases") {
  const auto files = case_files();
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    INFO(file);
    const auto text = read_file(file);
    REQUIRE(text);
    const auto result = try_case(*text, file);
    if (!result) FAIL(result.error().message);
    for (const auto& problem : result->problems) FAIL_CHECK(problem);
  }
}

TEST_CASE("a case that wants something else fails, with what was expected and what came") {
  const std::string policy =
      "policy: |\n  apiVersion: mlops/v1\n  kind: PrivacyPolicy\n  metadata: {name: p, version: 1.0.0}\n  spec:\n"
      "    classification: {columns: {a: {class: mrn}}}\n"
      "    transforms: {rules: [{match: {class: mrn}, apply: {redact: {with: X}}}]}\n";
  const auto problems = [&](const std::string& rest) {
    const auto result = try_case(policy + rest, "c.yaml");
    if (!result) FAIL(result.error().message);
    return result->problems;
  };
  const std::string input = "input: |\n  a\n  1\n";
  CHECK(problems(input + "want: {output: \"a\\nX\\n\"}\n").empty());
  CHECK(problems(input + "want: {output: \"a\\nY\\n\"}\n").size() == 1);
  CHECK(problems(input + "want: {refused: columns_unknown}\n").size() == 1);
  CHECK(problems(input + "want: {lacks: [X]}\n").size() == 1);
  CHECK(problems("want: {lint: [unknown_key]}\n").size() == 1);
  CHECK_FALSE(try_case(policy + "want: {ouput: x}\n", "c.yaml"));
  CHECK_FALSE(try_case(policy, "c.yaml"));
}
