#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_source.h"
#include "cli/cmd/report.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "policies/engine/policy.h"

namespace mlops::cli {
namespace {

Json finding_json(const policy::LintFinding& finding, const std::string& file) {
  return {{"file", file},
          {"line", finding.line},
          {"column", finding.column},
          {"level", finding.is_error ? "error" : "warning"},
          {"slug", finding.slug},
          {"message", finding.message},
          {"hint", finding.hint}};
}

Result<TimestampUs> reference_time(const Session& session) {
  const auto at = session.option("--at").value_or("");
  if (at.empty()) return SystemClock().now_us();
  const auto time = parse_rfc3339(at);
  if (!time) return usage_error("--at takes a date or an RFC 3339 time", "--at 2026-12-31");
  return *time;
}

Json sarif(const Json& findings) {
  std::vector<ReportFinding> list;
  for (const auto& one : findings) {
    const auto hint = text_of(one, "hint");
    list.push_back({text_of(one, "file"), static_cast<int>(int_of(one, "line")),
                    static_cast<int>(int_of(one, "column")), text_of(one, "level") == "error", text_of(one, "slug"),
                    text_of(one, "message") + (hint.empty() ? "" : ". " + hint)});
  }
  return sarif_report(list);
}

// A case a file; warnings do not fail it.
std::string junit(const Json& findings, const std::vector<std::string>& files) {
  std::vector<ReportCase> cases;
  for (const auto& file : files) {
    ReportCase one{file, file, 0, {}};
    for (const auto& finding : findings) {
      if (text_of(finding, "file") != file || text_of(finding, "level") != "error") continue;
      if (one.line == 0) one.line = static_cast<int>(int_of(finding, "line"));
      one.problems.push_back(join(finding_lines(finding, plain_style()), "\n"));
    }
    cases.push_back(std::move(one));
  }
  return junit_report("mlopsctl policy lint", cases);
}

void print_findings(Session& session, const Json& findings, std::size_t files, std::int64_t errors) {
  const auto style = style_of(session);
  for (const auto& finding : findings) print_lines(session, finding_lines(finding, style));
  const auto checked = counted(static_cast<std::int64_t>(files), "policy", "policies");
  const auto warnings = static_cast<std::int64_t>(findings.size()) - errors;
  session.say(findings.empty() ? checked + " checked: clean"
                               : fmt::format("{} checked: {}, {}", checked, counted(errors, "error", "errors"),
                                             counted(warnings, "warning", "warnings")));
}

Result<int> policy_lint(Session& session) {
  MLOPS_ASSIGN(const auto at, reference_time(session));
  Json findings = Json::array();
  const auto files = session.operands_from(0);
  for (const auto& path : files) {
    MLOPS_ASSIGN(const auto file, read_policy_text(path));
    for (const auto& finding : policy::lint_policy(file.text, file.origin, at))
      findings.push_back(finding_json(finding, path));
  }
  const auto errors = std::count_if(findings.begin(), findings.end(),
                                    [](const Json& finding) { return text_of(finding, "level") == "error"; });
  const auto format = session.option("--format").value_or("text");
  if (format != "text") {
    const auto text = format == "sarif" ? sarif(findings).dump(2) : junit(findings, files);
    for (const auto line : split(trim(text), '\n')) session.print_line(line);
    return errors == 0 ? kExitDone : kExitRefused;
  }
  session.print_value(
      findings, [&] { print_findings(session, findings, files.size(), errors); },
      [&] { return std::string(errors == 0 ? "clean" : "errors"); });
  return errors == 0 ? kExitDone : kExitRefused;
}

}  // namespace

const Command kPolicyLintCommand{
    .path = "policy lint",
    .group = "Environments and policies",
    .summary = "find mistakes in policy files, offline",
    .operands = {{.name = "FILE", .help = "a policy file", .repeated = true, .complete = Complete::kFile}},
    .options = {{.name = "--at",
                 .value_name = "DATE",
                 .help = "the day by which exceptions and evidence must not have run out (default: now)"},
                {.name = "--format",
                 .value_name = "FORMAT",
                 .help = "form of the findings",
                 .complete = Complete::kChoice,
                 .choices = {"text", "sarif", "junit"}}},
    .shared = kOutput | kOffline,
    .description =
        R"(Prints file:line:column: error: message for each, with what to write instead. Exit code 3 when there is an error;
warnings alone are 0.

Examples:
  mlopsctl policy lint policies/*.yaml
  mlopsctl policy lint policies/*.yaml --format sarif > lint.sarif)",
    .run = run_body<policy_lint>};

}  // namespace mlops::cli
