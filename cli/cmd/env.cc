#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"
#include "core/model/duration.h"

namespace mlops::cli {
namespace {

std::string runs_text(const Json& environment) {
  std::vector<std::string> refs;
  for (const auto& deployment : array_of(environment, "running")) refs.push_back(deployment_refs(deployment));
  return join(refs, ", ");
}

std::string protection_text(const Json& environment) {
  std::vector<std::string> parts;
  if (const auto needed = int_of(environment, "approvals_needed"); needed > 0) {
    const auto roles = join(strings_of(environment, "approver_roles"), " or ");
    parts.push_back(counted(needed, "approval", "approvals") + (roles.empty() ? "" : " by " + roles));
  }
  if (bool_of(environment, "reason_required")) parts.emplace_back("reason required");
  return parts.empty() ? "none" : join(parts, ", ");
}

// One line for each field that a change alters: "prod/acme  region: eu-west → eu-central".
Lines field_lines(const Json& changes) {
  Lines lines;
  const auto shown = [](const Json& value) {
    if (value.is_null()) return std::string("nothing");
    return value.is_string() && !value.get<std::string>().empty() ? value.get<std::string>() : value.dump();
  };
  for (const auto& change : changes) {
    for (const auto& field : array_of(change, "fields")) {
      lines.push_back(fmt::format("{}  {}: {} → {}", text_of(change, "name"), text_of(field, "field"),
                                  shown(member(field, "a")), shown(member(field, "b"))));
    }
  }
  return lines;
}

Result<int> env_diff(Session& session) {
  MLOPS_ASSIGN(auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN(const Json answer,
               session.api().post("/api/v1/environments",
                                  {{"yaml", std::move(file.text)}, {"origin", file.origin}, {"dry_run", true}}));
  const auto& changes = array_of(answer, "items");
  session.print_value(
      changes,
      [&] {
        for (const auto& change : changes) {
          if (text_of(change, "change") == "created") session.print_line(text_of(change, "name") + "  is new");
        }
        const auto lines = field_lines(changes);
        print_lines(session, lines);
        const bool same = std::all_of(changes.begin(), changes.end(),
                                      [](const Json& change) { return text_of(change, "change") == "unchanged"; });
        if (same) session.print_line("no difference");
      },
      [&] { return std::string(); });
  return kExitDone;
}

Result<int> env_apply(Session& session) {
  MLOPS_ASSIGN(auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN(
      const Json answer,
      session.api().post(
          "/api/v1/environments",
          with_override(session, with_dry_run(session, {{"yaml", std::move(file.text)}, {"origin", file.origin}}))));
  const std::vector<Column> columns = {{"ENVIRONMENT", [](const Json& e) { return text_of(e, "name"); }},
                                       {"CHANGE", [](const Json& e) { return text_of(e, "change"); }},
                                       {"REVISION", [](const Json& e) { return text_of(e, "revision"); }, false, true}};
  session.print_list(
      array_of(answer, "items"), columns, [](const Json& e) { return text_of(e, "name"); },
      "the file declares no environment");
  if (session.dry_run()) {
    if (!session.wants_json()) say_lines(session, field_lines(array_of(answer, "items")));
    session.say("dry run: nothing was changed");
  }
  return kExitDone;
}

Result<int> env_list(Session& session) {
  Query query("/api/v1/environments");
  query.add_times(session);
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  const std::vector<Column> columns = {
      {"ENVIRONMENT", [](const Json& e) { return text_of(e, "name"); }},
      {"AFTER", [](const Json& e) { return join(strings_of(e, "after"), ", "); }},
      {"CLEARANCE", [](const Json& e) { return text_of(e, "clearance"); }},
      {"PROTECTION", protection_text},
      {"POLICIES", [](const Json& e) { return join(strings_of(e, "policies"), ", "); }},
      {"REGION", [](const Json& e) { return text_of(e, "region"); }},
      {"OWNERS", [](const Json& e) { return join(strings_of(e, "owners"), ", "); }, true},
      {"LABELS", [](const Json& e) { return member(e, "labels").empty() ? std::string() : brief(member(e, "labels")); },
       true},
      {"REVISION", [](const Json& e) { return text_of(e, "revision"); }, true, true}};
  session.print_list(
      items, columns, [](const Json& e) { return text_of(e, "name"); },
      "no environment is declared; begin with: mlopsctl env apply FILE");
  return kExitDone;
}

void add_times(KeyValues& rows, const Json& environment) {
  if (const auto soak = int_of(environment, "soak_s"); soak > 0) rows.add("soak", model::duration_text(soak));
  for (const auto& window : array_of(environment, "windows")) {
    rows.add("window", fmt::format("{} {}–{} {}", join(strings_of(window, "days"), ","), text_of(window, "from"),
                                   text_of(window, "to"), text_of(window, "time_zone")));
  }
  for (const auto& freeze : array_of(environment, "freezes")) {
    const auto reason = text_of(freeze, "reason");
    rows.add("freeze", fmt::format("{} until {} {}{}", text_of(freeze, "from"), text_of(freeze, "to"),
                                   text_of(freeze, "time_zone"), reason.empty() ? "" : ": " + reason));
  }
  const auto whose = text_of(environment, "tenants_of");
  rows.add("declared as", whose.empty() ? "" : "a tenant of " + whose);
  rows.add("template", text_of(environment, "template"));
}

Lines environment_lines(const Json& environment, const Style& style) {
  Lines lines{style.paint(Tone::kBold, "environment " + text_of(environment, "name"))};
  KeyValues rows;
  rows.add("description", text_of(environment, "description"));
  rows.add("runs", runs_text(environment).empty() ? "nothing" : runs_text(environment));
  rows.add("after", join(strings_of(environment, "after"), " or "));
  rows.add("clearance", text_of(environment, "clearance"));
  rows.add("protection", protection_text(environment));
  rows.add("policies", join(strings_of(environment, "policies"), ", "));
  rows.add("region", text_of(environment, "region"));
  add_times(rows, environment);
  rows.add("owners", join(strings_of(environment, "owners"), ", "));
  if (const auto& labels = member(environment, "labels"); !labels.empty()) rows.add("labels", brief(labels));
  rows.add("revision", text_of(environment, "revision"));
  rows.add("digest", text_of(environment, "digest"));
  rows.add("applied", style.time(text_of(environment, "applied_at")) + " by " + text_of(environment, "applied_by"));
  append(lines, rows.lines(style, 2));
  return lines;
}

Result<int> env_show(Session& session) {
  Query query(item_path("environments", session.operand(0)));
  query.add_times(session);
  MLOPS_ASSIGN(const Json environment, session.api().get(query.text()));
  session.print_value(
      environment, [&] { print_lines(session, environment_lines(environment, style_of(session))); },
      [&] { return text_of(environment, "name"); });
  return kExitDone;
}

}  // namespace

const Command kEnvApplyCommand{
    .path = "env apply",
    .group = "Environments and policies",
    .summary = "declare environments from a YAML file",
    .operands = {{.name = "FILE", .help = "the file, - for standard input", .complete = Complete::kFile}},
    .options = {kOverrideOption, kOverrideReasonOption},
    .shared = kOutput | kDryRun,
    .description =
        R"(Creates and updates the environments in the file; others stay as they are. Mistakes are named by line and column.

Examples:
  mlopsctl env apply environments.yaml --dry-run
  mlopsctl env apply environments.yaml)",
    .run = run_body<env_apply>};

const Command kEnvDiffCommand{
    .path = "env diff",
    .group = "Environments and policies",
    .summary = "what applying a file would change, field by field",
    .operands = {{.name = "FILE", .help = "the file, - for standard input", .complete = Complete::kFile}},
    .shared = kOutput,
    .description = R"(Templates and tenants are expanded first: what is compared is what would hold.

Example:
  mlopsctl env diff environments.yaml)",
    .run = run_body<env_diff>};

const Command kEnvListCommand{.path = "env list",
                              .group = "Environments and policies",
                              .summary = "list environments with order, clearance and protection",
                              .shared = kOutput | kAsOf,
                              .description = R"(Example:
  mlopsctl env list -o wide)",
                              .run = run_body<env_list>};

const Command kEnvShowCommand{
    .path = "env show",
    .group = "Environments and policies",
    .summary = "one environment and what it runs",
    .operands = {{.name = "ENV", .help = "the environment", .complete = Complete::kEnvironment}},
    .shared = kOutput | kAsOf,
    .description = R"(Example:
  mlopsctl env show prod --as-of 2026-11-01)",
    .run = run_body<env_show>};

}  // namespace mlops::cli
