// Retention rules: how long the bytes of deleted versions are kept.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/span.h"
#include "cli/time.h"

namespace mlops::cli {
namespace {

std::string keeps_what(const Json& rule) {
  const auto subject = text_of(rule, "subject");
  return subject.starts_with("env:") ? "after the last time it ran there" : "after its deletion";
}

void print_done(Session& session, const std::string& what) {
  session.print_line(session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: " + what
                                       : session.paint(Tone::kGood, "✔") + " " + what);
}

Result<int> retention_set(Session& session) {
  MLOPS_ASSIGN(const auto keep_s, parse_span_s(session.operand(1)));
  const Json body = with_dry_run(
      session,
      {{"subject", session.operand(0)}, {"keep_s", keep_s}, {"reason", session.option("--reason").value_or("")}});
  MLOPS_ASSIGN(const auto rule, session.api().put("/api/v1/retention", body));
  session.print_value(
      rule,
      [&] {
        print_done(session, fmt::format("{}: a deleted version's bytes are kept for {} {}", text_of(rule, "subject"),
                                        span_text(int_of(rule, "keep_s")), keeps_what(rule)));
      },
      [&] { return text_of(rule, "subject"); });
  return kExitDone;
}

Result<int> retention_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/retention"), kNoLimit));
  const std::vector<Column> columns = {
      {"SUBJECT", [](const Json& r) { return text_of(r, "subject"); }},
      {"KEEPS", [](const Json& r) { return span_text(int_of(r, "keep_s")); }, false, true},
      {"FROM", keeps_what},
      {"SET", [&session](const Json& r) { return show_time(session, text_of(r, "set_at")); }},
      {"BY", [](const Json& r) { return text_of(r, "set_by"); }}};
  session.print_list(
      items, columns, [](const Json& r) { return text_of(r, "subject"); },
      "no rules: what is deleted may be collected at once");
  return kExitDone;
}

Result<int> retention_remove(Session& session) {
  const Json body =
      with_dry_run(session, {{"subject", session.operand(0)}, {"reason", session.option("--reason").value_or("")}});
  MLOPS_ASSIGN(const auto rule, session.api().del("/api/v1/retention", body));
  session.print_value(
      rule, [&] { print_done(session, fmt::format("the rule of {} is removed", text_of(rule, "subject"))); },
      [&] { return text_of(rule, "subject"); });
  return kExitDone;
}

const Operand kSubject{.name = "SUBJECT", .help = "kind:model, kind:dataset or env:NAME"};
const Option kReason{.name = "--reason", .value_name = "TEXT", .help = "why"};

}  // namespace

const Command kRetentionSetCommand{
    .path = "retention set",
    .group = "Storage",
    .summary = "set how long the bytes of deleted versions are kept",
    .operands = {kSubject, {.name = "TIME", .help = "24h, 90d, 2w, 6y"}},
    .options = {kReason},
    .shared = kOutput | kDryRun,
    .description =
        R"(kind:… counts from a version's deletion, env:… from the end of its last deployment there. Of several rules the longest
counts. A rule also protects what was deleted before it was set. A year has 366 days.

Examples:
  mlopsctl retention set kind:model 90d
  mlopsctl retention set env:prod 6y --reason "45 CFR 164.316")",
    .run = run_body<retention_set>};

const Command kRetentionListCommand{.path = "retention list",
                                    .group = "Storage",
                                    .summary = "list retention rules",
                                    .shared = kOutput,
                                    .description = R"(Example:
  mlopsctl retention list)",
                                    .run = run_body<retention_list>};

const Command kRetentionRemoveCommand{.path = "retention remove",
                                      .group = "Storage",
                                      .summary = "remove a retention rule",
                                      .operands = {kSubject},
                                      .options = {kReason},
                                      .shared = kOutput | kDryRun,
                                      .description = R"(Example:
  mlopsctl retention remove kind:dataset)",
                                      .run = run_body<retention_remove>};

}  // namespace mlops::cli
