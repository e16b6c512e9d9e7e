// Runs tests/cases/*.yaml: `note`, `policy`, `input` (CSV) and `want`; adding one needs no C++.
//
//   file: notes.json                                       the input's name tells its format; t.csv unless said
//   want: {output: |-text}                                   the masked table, byte for byte
//   want: {refused: slug, facts_have: [words]}               a refusal, and words its facts must hold
//   want: {lint: [slug…]}                                    all findings, in the order of the text
//   want.lacks: [values]                                     must stand neither in the output nor in a refusal
#include <filesystem>

#include "core/base/env.h"
#include "core/base/yaml.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

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

std::string text_of(const YamlNode& node, std::string_view key) {
  const auto* found = node.find(key);
  return found ? found->scalar : std::string{};
}

std::vector<std::string> list_of(const YamlNode& node, std::string_view key) {
  std::vector<std::string> list;
  if (const auto* found = node.find(key)) {
    for (const auto& item : found->items) list.push_back(item.scalar);
  }
  return list;
}

void run_lint(const YamlNode& want, const std::string& policy) {
  std::vector<std::string> slugs;
  for (const auto& finding : lint_policy(policy, "policy.yaml")) slugs.push_back(finding.slug);
  CHECK(slugs == list_of(want, "lint"));
}

// The masked table, or what the refusal says.
std::string run_mask(const YamlNode& want, const std::string& yaml, const std::string& input, const std::string& path) {
  const auto policy = load_policy(yaml, "policy.yaml");
  if (!policy) FAIL(policy.error().message);
  const mask::FixedKeys keys;
  std::string output;
  const auto plan = plan_text(*policy, input, path);
  const auto evidence =
      plan ? mask_text(*policy, *plan, input, output, {keys}, "case", path) : Result<MaskEvidence>(fail(plan.error()));
  if (evidence) {
    CHECK(text_of(want, "refused").empty());
    if (want.find("output")) CHECK(output == text_of(want, "output"));
    return output;
  }
  const auto& error = evidence.error();
  CHECK(error.slug == text_of(want, "refused"));
  for (const auto& word : list_of(want, "facts_have")) CHECK(error.detail.find(word) != std::string::npos);
  return error.message + error.hint + error.detail;
}

}  // namespace

TEST_CASE("cases") {
  const auto files = case_files();
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    INFO(file);
    const auto text = read_file(file);
    REQUIRE(text);
    const auto root = parse_yaml(*text, file);
    if (!root) FAIL(root.error().message);
    REQUIRE(yaml_only_known_keys(*root, file, {"note", "policy", "file", "input", "want"}));
    const auto* want = root->find("want");
    REQUIRE(want);
    REQUIRE(yaml_only_known_keys(*want, file, {"output", "refused", "facts_have", "lint", "lacks"}));
    if (want->find("lint")) {
      run_lint(*want, text_of(*root, "policy"));
      continue;
    }
    const auto file_name = text_of(*root, "file");
    const auto said =
        run_mask(*want, text_of(*root, "policy"), text_of(*root, "input"), file_name.empty() ? "t.csv" : file_name);
    for (const auto& value : list_of(*want, "lacks")) {
      INFO(value);
      CHECK(said.find(value) == std::string::npos);
    }
  }
}
