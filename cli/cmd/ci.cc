// ci: a plan or a promotion for a pipeline: one Markdown summary, gate results as JUnit and SARIF, exit 3 when the
// answer is no.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_flow.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/report.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/env.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

struct Outcome {
  Json plan;
  Json deployment;  // null: nothing was moved
  bool is_yes = false;
};

// A table cell of Markdown: neither bars nor line ends of its own.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '|' || c == '<' || c == '`') out += '\\';
    out += c;
  }
  return out;
}

// "model-gates.yaml:12" → file and line; other rules have neither.
std::pair<std::string, int> place_of(const std::string& rule) {
  const auto colon = rule.rfind(':');
  if (colon == rule.npos || colon + 1 == rule.size()) return {rule, 0};
  const auto line = parse_int(rule.substr(colon + 1));
  if (!line) return {rule, 0};
  return {rule.substr(0, colon), static_cast<int>(*line)};
}

std::string mark_of(const std::string& verdict) {
  return verdict == "pass" ? "✅" : verdict == "pending" ? "⏳" : "❌";
}

std::string summary_of(const Outcome& outcome) {
  const auto& plan = outcome.plan;
  const auto what = deployment_refs(member(plan, "release"));
  auto text = fmt::format("## {} {} → {}\n\n", mark_of(text_of(plan, "verdict")), cell(what),
                          cell(text_of(plan, "environment")));
  if (outcome.deployment.is_object()) {
    text += fmt::format("Promoted as deployment `{}`.\n\n", text_of(outcome.deployment, "id"));
  } else {
    text += fmt::format("Plan `{}`: **{}**.\n\n", text_of(plan, "id"), text_of(plan, "verdict"));
  }
  text += "| | Gate | Rule | What was found | Would pass if |\n|---|---|---|---|---|\n";
  for (const auto& gate : array_of(plan, "gates")) {
    text +=
        fmt::format("| {} | {} | {} | {} | {} |\n", mark_of(text_of(gate, "verdict")), cell(text_of(gate, "id")),
                    cell(text_of(gate, "rule")), cell(text_of(gate, "reason")), cell(text_of(gate, "would_pass_if")));
  }
  text += fmt::format("\nDigest `{}`", text_of(plan, "digest"));
  if (const auto until = text_of(plan, "expires_at"); !until.empty() && !outcome.is_yes)
    text += ", open until " + until;
  if (const auto next = next_step_of(plan); !next.empty() && !outcome.deployment.is_object()) {
    text += fmt::format("\n\nNext: `{}`", next);
  }
  return text + "\n";
}

std::string junit_of(const Outcome& outcome) {
  std::vector<ReportCase> cases;
  for (const auto& gate : array_of(outcome.plan, "gates")) {
    const auto [file, line] = place_of(text_of(gate, "rule"));
    ReportCase one{text_of(gate, "id") + ": " + text_of(member(gate, "facts"), "member"), file, line, {}};
    if (text_of(gate, "verdict") != "pass") {
      one.problems.push_back(text_of(gate, "reason") + "\nwould pass if: " + text_of(gate, "would_pass_if"));
    }
    cases.push_back(std::move(one));
  }
  return junit_report("mlopsctl ci", cases);
}

std::string sarif_of(const Outcome& outcome) {
  std::vector<ReportFinding> findings;
  for (const auto& gate : array_of(outcome.plan, "gates")) {
    if (text_of(gate, "verdict") == "pass") continue;
    const auto [file, line] = place_of(text_of(gate, "rule"));
    findings.push_back({file, line, 0, text_of(gate, "verdict") == "fail", text_of(gate, "id"),
                        text_of(gate, "reason") + "; would pass if " + text_of(gate, "would_pass_if")});
  }
  return sarif_report(findings).dump(2) + "\n";
}

Result<Outcome> decide(Session& session, const Json& body) {
  Outcome outcome;
  if (!session.flag("--promote")) {
    MLOPS_ASSIGN(outcome.plan, session.api().post("/api/v1/plans", body));
    outcome.is_yes = text_of(outcome.plan, "verdict") == "pass";
    return outcome;
  }
  const auto done = session.api().post("/api/v1/promotions", body);
  if (done) {
    outcome.plan = member(*done, "plan");
    outcome.deployment = member(*done, "deployment");
    outcome.is_yes = true;
    return outcome;
  }
  outcome.plan = facts_of(done.error());
  if (!outcome.plan.contains("gates")) return fail(done.error());
  return outcome;
}

Result<int> ci(Session& session) {
  const auto environment = session.option("--to").value_or("");
  if (environment.empty()) return usage_error("where to? --to names the environment", "mlopsctl ci REF --to prod");
  MLOPS_ASSIGN(const auto body, plan_request(session, session.operand(0), environment));
  MLOPS_ASSIGN(const auto outcome, decide(session, body));
  const auto summary = summary_of(outcome);
  const auto keep = [&](std::string_view option, const std::string& text) -> Status {
    const auto file = session.option(option);
    return file ? write_file_atomic(*file, text, 0644) : Status();
  };
  MLOPS_TRY(keep("--summary", summary));
  MLOPS_TRY(keep("--junit", junit_of(outcome)));
  MLOPS_TRY(keep("--sarif", sarif_of(outcome)));
  session.print_value(
      {{"plan", outcome.plan}, {"deployment", outcome.deployment}, {"allowed", outcome.is_yes}},
      [&] {
        for (const auto line : split(summary, '\n')) session.print_line(line);
      },
      [&] { return text_of(outcome.plan, "id"); });
  return outcome.is_yes ? kExitDone : kExitRefused;
}

Option file_option(std::string_view name, std::string_view help) {
  return {.name = name, .value_name = "FILE", .help = help, .complete = Complete::kFile};
}

}  // namespace

const Command kCiCommand{
    .path = "ci",
    .group = "Daily work",
    .summary = "plan or promote in a pipeline, with a summary, JUnit and SARIF",
    .operands = {{.name = "REF", .help = "the version, or release:NAME@r1", .complete = Complete::kReference}},
    .options = {{.name = "--to", .value_name = "ENV", .help = "the environment", .complete = Complete::kEnvironment},
                {.name = "--with",
                 .value_name = "REF",
                 .help = "another version that moves in the same release",
                 .repeated = true,
                 .complete = Complete::kReference},
                {.name = "--reason", .value_name = "TEXT", .help = "why; the pipeline's run, for instance"},
                {.name = "--promote", .help = "promote when every gate passes, instead of only planning"},
                {.name = "--idempotency-key",
                 .value_name = "KEY",
                 .help = "of the pipeline's run, so that a retry does nothing twice"},
                file_option("--summary", "the Markdown summary also goes there ($GITHUB_STEP_SUMMARY)"),
                file_option("--junit", "gate results as JUnit XML"),
                file_option("--sarif", "gates that do not pass as SARIF")},
    .shared = kOutput,
    .description = R"(Exit code 0 when the answer is yes, 3 when a gate fails or approvals are missing.

Examples:
  mlopsctl ci hospital/readmission@v3 --to staging --promote --reason "run 4711" --idempotency-key run-4711
  mlopsctl ci hospital/readmission@v3 --to prod --summary "$GITHUB_STEP_SUMMARY" --junit gates.xml --sarif gates.sarif)",
    .run = run_body<ci>};

}  // namespace mlops::cli
