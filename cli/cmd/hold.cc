// Legal holds: a version's bytes stay, whatever is deleted or whatever time is over.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string done_mark(const Session& session) {
  return session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                           : session.paint(Tone::kGood, "✔") + " ";
}

Result<int> hold_add(Session& session) {
  const auto case_id = session.option("--case").value_or("");
  const auto reason = session.option("--reason").value_or("");
  if (case_id.empty() || reason.empty()) {
    return usage_error("a hold needs a case and a reason", "mlopsctl hold add REF --case 2026-17 --reason \"…\"");
  }
  const Json body = with_dry_run(session, {{"ref", session.operand(0)}, {"case", case_id}, {"reason", reason}});
  MLOPS_ASSIGN(const auto hold, session.api().post("/api/v1/holds", body));
  session.print_value(
      hold,
      [&] {
        session.print_line(done_mark(session) + fmt::format("{} is held for case {}", text_of(hold, "ref"), case_id));
        KeyValues rows;
        if (!session.dry_run()) rows.add("hold", text_of(hold, "id"));
        rows.add("back from the trash", join(strings_of(hold, "restored_runs"), ", "));
        print_lines(session, rows.lines(style_of(session), 2));
        const bool lacks = member(hold, "whole").is_boolean() && !bool_of(hold, "whole");
        if (lacks) session.warn("not all of its bytes are here: mlopsctl gc why " + text_of(hold, "ref"));
      },
      [&] { return text_of(hold, "id"); });
  return kExitDone;
}

std::string hold_state(const Json& hold) {
  if (member(hold, "released").is_object()) return "released";
  return text_of(hold, "deleted_at").empty() ? "holds" : "holds a deleted version";
}

Result<int> hold_list(Session& session) {
  Query query("/api/v1/holds");
  query.add("all", session.flag("--all") ? "1" : "");
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  const std::vector<Column> columns = {
      {"HOLD", [](const Json& h) { return text_of(h, "id"); }},
      {"VERSION", [](const Json& h) { return text_of(h, "ref"); }},
      {"CASE", [](const Json& h) { return text_of(h, "case"); }},
      {"STATE", hold_state},
      {"SINCE", [&session](const Json& h) { return show_time(session, text_of(h, "placed_at")); }},
      {"BY", [](const Json& h) { return text_of(h, "placed_by"); }},
      {"REASON", [](const Json& h) { return text_of(h, "reason"); }},
      {"RELEASED", [&session](const Json& h) { return show_time(session, text_of(member(h, "released"), "at")); },
       true},
      {"RELEASED BY", [](const Json& h) { return text_of(member(h, "released"), "by"); }, true},
      {"RELEASED WHY", [](const Json& h) { return text_of(member(h, "released"), "reason"); }, true}};
  session.print_list(
      items, columns, [](const Json& h) { return text_of(h, "id"); },
      session.flag("--all") ? "there never was a hold" : "no holds");
  return kExitDone;
}

Result<int> hold_release(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty())
    return usage_error("releasing a hold needs a reason", "add --reason \"…\"; it stays with the hold");
  MLOPS_ASSIGN(const auto hold, session.api().post(item_path("holds", session.operand(0), "/release"),
                                                   with_dry_run(session, {{"reason", reason}})));
  session.print_value(
      hold,
      [&] {
        session.print_line(done_mark(session) + fmt::format("the hold on {} for case {} is released",
                                                            text_of(hold, "ref"), text_of(hold, "case")));
      },
      [&] { return text_of(hold, "id"); });
  return kExitDone;
}

}  // namespace

const Command kHoldAddCommand{
    .path = "hold add",
    .group = "Storage",
    .summary = "put a legal hold on a version: its bytes stay",
    .operands = {{.name = "REF", .help = "the version; also a deleted one", .complete = Complete::kReference}},
    .options = {{.name = "--case", .value_name = "ID", .help = "the case it is held for"},
                {.name = "--reason", .value_name = "TEXT", .help = "why"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Several cases may hold the same version; each ends only by its own release. A held version cannot be deleted, and a hold
beats every retention rule. When the version is deleted and its bytes lie in the trash, they come back.

Example:
  mlopsctl hold add hospital/readmission@v2 --case 2026-17 --reason "request of the ombudsman")",
    .run = run_body<hold_add>};

const Command kHoldListCommand{.path = "hold list",
                               .group = "Storage",
                               .summary = "list holds",
                               .options = {{.name = "--all", .help = "released ones too"}},
                               .shared = kOutput,
                               .description = R"(Example:
  mlopsctl hold list --all -o wide)",
                               .run = run_body<hold_list>};

const Command kHoldReleaseCommand{
    .path = "hold release",
    .group = "Storage",
    .summary = "release a hold; that it was stays on record",
    .operands = {{.name = "HOLD", .help = "its id, or a unique beginning of at least 8 characters"}},
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}},
    .shared = kOutput | kDryRun,
    .description = R"(Example:
  mlopsctl hold release 019384a2-7b1c-7e02 --reason "case closed")",
    .run = run_body<hold_release>};

}  // namespace mlops::cli
