// A case file: what lint, a masking run, a comparison or the policy's own tests must say.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/engine/compare.h"
#include "policies/engine/trial.h"
#include "policies/engine/trial_table.h"

namespace mlops::policy {
namespace {

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

void compare_lists(std::string_view what, const std::vector<std::string>& want, const std::vector<std::string>& got,
                   TestResult& result) {
  if (want == got) return;
  result.problems.push_back(fmt::format("{}: expected [{}], got [{}]", what, join(want, ", "), join(got, ", ")));
}

void try_lint(const YamlNode& root, const YamlNode& want, TestResult& result) {
  const auto yaml = text_of(root, "policy");
  const auto at = parse_rfc3339(text_of(root, "at"));
  std::vector<std::string> slugs;
  for (const auto& finding : at ? lint_policy(yaml, "policy.yaml", *at) : lint_policy(yaml, "policy.yaml")) {
    slugs.push_back(finding.slug);
  }
  compare_lists("lint", list_of(want, "lint"), slugs, result);
}

void try_diff(const YamlNode& root, const YamlNode& want, TestResult& result) {
  const auto before = load_policy(text_of(root, "old"), "old.yaml");
  const auto after = load_policy(text_of(root, "policy"), "policy.yaml");
  if (!before || !after) {
    result.problems.push_back((before ? after : before).error().message);
    return;
  }
  std::vector<std::string> lines;
  for (const auto& one : compare_policies(*before, *after)) {
    lines.push_back(fmt::format("{} {}", to_word(one.change), one.subject));
  }
  compare_lists("diff", list_of(want, "diff"), lines, result);
}

void try_inline(const YamlNode& root, const YamlNode& want, TestResult& result) {
  const auto policy = load_policy(text_of(root, "policy"), "policy.yaml");
  if (!policy) {
    result.problems.push_back(policy.error().message);
    return;
  }
  std::vector<std::string> verdicts;
  for (const auto& test : inline_tests(*policy)) {
    if (!test.is_of_row()) continue;
    auto one = result_of(test, verdicts.size() + 1, "policy.yaml");
    try_row(*policy, test, one);
    verdicts.emplace_back(one.passed() ? "pass" : "fail");
  }
  compare_lists("tests", list_of(want, "tests"), verdicts, result);
}

void try_mask(const YamlNode& root, const YamlNode& want, TestResult& result) {
  const auto policy = load_policy(text_of(root, "policy"), "policy.yaml");
  if (!policy) {
    result.problems.push_back(policy.error().message);
    return;
  }
  const auto file = text_of(root, "file");
  const auto out = mask_trial(*policy, {text_of(root, "input"), file.empty() ? "t.csv" : file});
  const auto refusal = out ? std::string{} : out.error().slug;
  const auto wanted = text_of(want, "refused");
  if (refusal != wanted) {
    const auto word = [](const std::string& slug) { return slug.empty() ? std::string("a masked table") : slug; };
    result.problems.push_back(
        fmt::format("expected {}, got {}{}", word(wanted), word(refusal), out ? "" : ": " + out.error().message));
  }
  if (out && want.find("output") && *out != text_of(want, "output")) {
    result.problems.push_back(fmt::format("expected output\n{}got\n{}", text_of(want, "output"), *out));
  }
  const auto said = out ? *out : out.error().message + out.error().hint + out.error().detail;
  for (const auto& word : list_of(want, "facts_have")) {
    if (out || out.error().detail.find(word) == std::string::npos) {
      result.problems.push_back(fmt::format("expected '{}' among the facts of the refusal", word));
    }
  }
  for (const auto& value : list_of(want, "lacks")) {
    if (said.find(value) != std::string::npos) result.problems.push_back(fmt::format("'{}' is still there", value));
  }
}

struct WantRow {
  std::string_view key;
  void (*try_it)(const YamlNode& root, const YamlNode& want, TestResult& result);
};
constexpr WantRow kWants[] = {{"lint", try_lint}, {"diff", try_diff}, {"tests", try_inline}};

}  // namespace

Result<TestResult> try_case(std::string_view yaml, const std::string& origin) {
  MLOPS_ASSIGN(const auto root, parse_yaml(yaml, origin));
  if (!root.is_map()) return fail(yaml_error(origin, root.mark, "bad_case", "a case is a map"));
  MLOPS_TRY(yaml_only_known_keys(root, origin, {"note", "policy", "old", "file", "input", "at", "want"}));
  const auto* want = root.find("want");
  if (!want || !want->is_map()) return fail(yaml_error(origin, root.mark, "bad_case", "a case needs `want`"));
  MLOPS_TRY(yaml_only_known_keys(*want, origin, {"output", "refused", "facts_have", "lint", "lacks", "diff", "tests"}));
  const auto note = text_of(root, "note");
  TestResult result{note.empty() ? origin : note, origin, root.mark.line, {}};
  for (const auto& row : kWants) {
    if (!want->find(row.key)) continue;
    row.try_it(root, *want, result);
    return result;
  }
  try_mask(root, *want, result);
  return result;
}

}  // namespace mlops::policy
