#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_source.h"
#include "cli/cmd/report.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "policies/engine/trial.h"
#include "policies/gate/decision_trial.h"

namespace mlops::cli {
namespace {

using policy::TestResult;

// The tests of a policy's own text. A policy that does not load, or has none, is a failed test: nothing was shown.
std::vector<TestResult> try_policy(const NamedText& file) {
  const auto loaded = policy::load_policy(file.text, file.origin);
  if (!loaded) return {{"loads", file.origin, 1, {loaded.error().message}}};
  std::vector<TestResult> results;
  for (const auto& test : policy::inline_tests(*loaded)) {
    auto result = policy::result_of(test, results.size() + 1, file.origin);
    if (test.is_of_row()) {
      policy::try_row(*loaded, test, result);
    } else {
      gate::try_decision(*loaded, test, result);
    }
    results.push_back(std::move(result));
  }
  if (results.empty()) results.push_back({"has tests", file.origin, 1, {"the policy has no tests under spec.tests"}});
  return results;
}

// A case file has `want`; everything else is a policy.
Result<std::vector<TestResult>> try_file(const std::string& path) {
  MLOPS_ASSIGN(const auto file, read_policy_text(path));
  const auto root = parse_yaml(file.text, file.origin);
  std::vector<TestResult> results;
  if (root && root->find("want")) {
    MLOPS_ASSIGN(auto result, policy::try_case(file.text, file.origin));
    results.push_back(std::move(result));
  } else {
    results = try_policy(file);
  }
  for (auto& result : results) result.file = path;
  return results;
}

Json to_json(const TestResult& result) {
  return {{"name", result.name},
          {"file", result.file},
          {"line", result.line},
          {"passed", result.passed()},
          {"problems", result.problems}};
}

std::string report_of(const std::vector<TestResult>& results, std::string_view format) {
  if (format == "junit") {
    std::vector<ReportCase> cases;
    for (const auto& one : results) cases.push_back({one.name, one.file, one.line, one.problems});
    return junit_report("mlopsctl policy test", cases);
  }
  std::vector<ReportFinding> findings;
  for (const auto& one : results) {
    if (!one.passed()) {
      findings.push_back({one.file, one.line, 0, true, "test_failed", one.name + ": " + join(one.problems, "; ")});
    }
  }
  return sarif_report(findings).dump(2);
}

void print_results(Session& session, const std::vector<TestResult>& results) {
  const auto style = style_of(session);
  for (const auto& one : results) {
    if (one.passed()) {
      session.print_line(style.paint(Tone::kGood, "✔") + " " + one.name);
      continue;
    }
    session.print_line(fmt::format("{} {}:{}: {}", style.paint(Tone::kBad, "✘"), one.file, one.line, one.name));
    for (const auto& problem : one.problems) {
      for (const auto line : split(problem, '\n')) session.print_line(fmt::format("    {}", line));
    }
  }
}

Result<int> policy_test(Session& session) {
  std::vector<TestResult> results;
  for (const auto& path : session.operands_from(0)) {
    MLOPS_ASSIGN(auto of_file, try_file(path));
    std::move(of_file.begin(), of_file.end(), std::back_inserter(results));
  }
  const auto failed =
      std::count_if(results.begin(), results.end(), [](const TestResult& one) { return !one.passed(); });
  const auto format = session.option("--format").value_or("text");
  if (format != "text") {
    const auto report = report_of(results, format);
    for (const auto line : split(trim(report), '\n')) session.print_line(line);
    return failed == 0 ? kExitDone : kExitRefused;
  }
  Json list = Json::array();
  for (const auto& one : results) list.push_back(to_json(one));
  session.print_value(
      list,
      [&] {
        print_results(session, results);
        session.say(fmt::format("{}: {} passed, {} failed",
                                counted(static_cast<std::int64_t>(results.size()), "test", "tests"),
                                static_cast<std::int64_t>(results.size()) - failed, failed));
      },
      [&] { return std::string(failed == 0 ? "passed" : "failed"); });
  return failed == 0 ? kExitDone : kExitRefused;
}

}  // namespace

const Command kPolicyTestCommand{
    .path = "policy test",
    .group = "Environments and policies",
    .summary = "run the tests of policies, offline",
    .operands = {{.name = "FILE",
                  .help = "a policy with tests, or a case file",
                  .repeated = true,
                  .complete = Complete::kFile}},
    .options = {{.name = "--format",
                 .value_name = "FORMAT",
                 .help = "form of the results",
                 .complete = Complete::kChoice,
                 .choices = {"text", "sarif", "junit"}}},
    .shared = kOutput | kOffline,
    .description =
        R"(Runs spec.tests: a given row must give the expected cells, given facts the expected decision. A case file names a
policy, an input and what is wanted of them. Keys are made up, so pseudonyms are the same every time. Exit code 3 when a test
fails or a policy has none; shown are expected and got.

Examples:
  mlopsctl policy test clinical-deid.yaml
  mlopsctl policy test clinical-deid.yaml cases/*.yaml --format junit > tests.xml)",
    .run = run_body<policy_test>};

}  // namespace mlops::cli
