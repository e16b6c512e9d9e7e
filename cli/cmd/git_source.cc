// Policies and environments from Git: policy source add, list, show, sync, approve, apply, remove.
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

constexpr std::string_view kNoun = "policy-sources";
constexpr std::string_view kPlanNoun = "source-plans";
constexpr std::size_t kCommitShown = 12;

std::string short_commit(const Json& object, std::string_view key) {
  const auto commit = text_of(object, key);
  return commit.empty() ? "none" : commit.substr(0, kCommitShown);
}

std::string protection(const Json& source) {
  const auto needed = int_of(source, "approvals_needed");
  return needed == 0 ? "none" : counted(needed, "approval", "approvals");
}

void print_changes(Session& session, const Json& plan) {
  for (const auto& change : array_of(plan, "changes")) {
    session.print_line(fmt::format("  {:<8} {} {}  {}", text_of(change, "change"), text_of(change, "kind"),
                                   text_of(change, "name"), text_of(change, "path")));
  }
  const auto& flips = member(plan, "flips");
  for (const auto& flip : array_of(flips, "first")) {
    session.print_line(fmt::format("  past {} of {} in {}: {} becomes {}{}", text_of(flip, "occasion"),
                                   text_of(flip, "target"), text_of(flip, "environment"), text_of(flip, "before"),
                                   text_of(flip, "after"), bool_of(flip, "runs_now") ? " (runs now)" : ""));
  }
  if (int_of(flips, "governed") > 0) {
    session.print_line(fmt::format("  {} of {} past decisions would come out otherwise",
                                   grouped(int_of(flips, "total")), grouped(int_of(flips, "governed"))));
  }
}

std::string outcome(const Json& plan) {
  const auto state = text_of(plan, "state");
  if (state == "applied") return "applied";
  if (state == "unchanged") return "nothing to do";
  if (state == "stale") return "stale";
  const auto have = static_cast<std::int64_t>(array_of(plan, "approvals").size());
  const auto needed = int_of(plan, "approvals_needed");
  if (have >= needed)
    return fmt::format("may be applied: mlopsctl policy source apply {}", short_id(text_of(plan, "id")));
  return fmt::format("waits for approval ({} of {}): mlopsctl policy source approve {}", have, needed,
                     short_id(text_of(plan, "id")));
}

void print_plan(Session& session, const Json& plan) {
  session.print_value(
      plan,
      [&] {
        const auto style = style_of(session);
        session.print_line(style.paint(Tone::kGood, "✔") + fmt::format(" {}: {} → {}@{}, {}", text_of(plan, "source"),
                                                                       short_commit(plan, "base_commit"),
                                                                       text_of(plan, "repository"),
                                                                       short_commit(plan, "commit"), outcome(plan)));
        print_changes(session, plan);
        if (session.dry_run()) session.print_line(style.paint(Tone::kWarn, "dry run: nothing was changed"));
      },
      [&] { return text_of(plan, "id"); });
}

Result<int> source_add(Session& session) {
  const auto repository = session.option("--repository").value_or("");
  if (repository.empty()) {
    return usage_error("which repository? --repository names one of mlopsd's",
                       "mlopsctl policy source add gates --repository gates --path policies/");
  }
  const auto approvals = session.option("--approvals").value_or("0");
  const auto needed = parse_int(approvals);
  if (!needed || *needed < 0) return usage_error("--approvals is a number of people");
  const Json body = with_dry_run(session, {{"name", session.operand(0)},
                                           {"repository", repository},
                                           {"branch", session.option("--branch").value_or("")},
                                           {"path", session.option("--path").value_or("")},
                                           {"environments", session.option("--environments").value_or("")},
                                           {"approvals_needed", *needed}});
  MLOPS_ASSIGN(const Json source, session.api().post("/api/v1/policy-sources", body));
  session.print_value(
      source,
      [&] {
        session.print_line(session.paint(Tone::kGood, "✔") +
                           fmt::format(" source {}: {}, branch {}", text_of(source, "name"),
                                       text_of(source, "repository"), text_of(source, "branch")));
        session.say(session.dry_run() ? "dry run: nothing was changed"
                                      : "next: mlopsctl policy source sync " + text_of(source, "name"));
      },
      [&] { return text_of(source, "name"); });
  return kExitDone;
}

Result<int> source_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/policy-sources"), kNoLimit));
  const std::vector<Column> columns = {
      {"SOURCE", [](const Json& s) { return text_of(s, "name"); }},
      {"REPOSITORY", [](const Json& s) { return text_of(s, "repository"); }},
      {"BRANCH", [](const Json& s) { return text_of(s, "branch"); }},
      {"COMMIT", [](const Json& s) { return short_commit(s, "commit"); }},
      {"PROTECTION", protection},
      {"APPLIED", [&session](const Json& s) { return show_time(session, text_of(s, "applied_at")); }},
      {"BY", [](const Json& s) { return text_of(s, "applied_by"); }, true}};
  session.print_list(
      items, columns, [](const Json& s) { return text_of(s, "name"); }, "no policy sources");
  return kExitDone;
}

Result<int> source_show(Session& session) {
  MLOPS_ASSIGN(const Json source, session.api().get(item_path(kNoun, session.operand(0))));
  session.print_value(
      source,
      [&] {
        const auto style = style_of(session);
        KeyValues rows;
        rows.add("source", text_of(source, "name"));
        rows.add("repository", fmt::format("{}, branch {}", text_of(source, "repository"), text_of(source, "branch")));
        rows.add("policies", text_of(source, "path"));
        rows.add("environments", text_of(source, "environments"));
        rows.add("protection", protection(source));
        rows.add("commit", text_of(source, "commit").empty() ? "none is applied yet" : text_of(source, "commit"));
        print_lines(session, rows.lines(style));
        for (const auto& item : array_of(source, "items")) {
          session.print_line(
              fmt::format("  {} {}  {}", text_of(item, "kind"), text_of(item, "name"), text_of(item, "path")));
        }
        for (const auto& plan : array_of(source, "plans")) {
          session.print_line(fmt::format("  plan {} {} → {}, {}, by {}", short_id(text_of(plan, "id")),
                                         short_commit(plan, "base_commit"), short_commit(plan, "commit"),
                                         text_of(plan, "state"), text_of(plan, "requested_by")));
        }
      },
      [&] { return text_of(source, "name"); });
  return kExitDone;
}

Result<int> source_sync(Session& session) {
  const Json body = with_dry_run(session, {{"commit", session.option("--commit").value_or("")},
                                           {"reason", session.option("--reason").value_or("")},
                                           {"accept_rewrite", session.flag("--accept-rewrite")}});
  MLOPS_ASSIGN(const Json plan, session.api().post(item_path(kNoun, session.operand(0), "/sync"), body));
  print_plan(session, plan);
  return kExitDone;
}

Result<int> source_approve(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("an approval needs a reason", "add --reason TEXT");
  const auto path = item_path(kPlanNoun, session.operand(0));
  MLOPS_ASSIGN(const Json plan, session.api().post(path + "/approve", with_dry_run(session, {{"reason", reason}})));
  print_plan(session, plan);
  return kExitDone;
}

Result<int> source_apply(Session& session) {
  const auto path = item_path(kPlanNoun, session.operand(0), "/apply");
  MLOPS_ASSIGN(const Json plan, session.api().post(path, with_dry_run(session, Json::object())));
  print_plan(session, plan);
  return kExitDone;
}

Result<int> source_remove(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("removing a source needs a reason", "add --reason TEXT");
  MLOPS_ASSIGN(const Json source,
               session.api().del(item_path(kNoun, session.operand(0)), with_dry_run(session, {{"reason", reason}})));
  session.print_value(
      source,
      [&] {
        session.print_line(session.paint(Tone::kGood, "✔") +
                           fmt::format(" source {} is removed; what it owned stays in force", text_of(source, "name")));
        if (session.dry_run()) session.say("dry run: nothing was changed");
      },
      [&] { return text_of(source, "name"); });
  return kExitDone;
}

constexpr std::string_view kGroup = "Environments and policies";
const Operand kName{.name = "NAME", .help = "the source"};
const Operand kPlanOperand{.name = "PLAN", .help = "the plan's id, or its first 8 characters"};
const Option kReason{.name = "--reason", .value_name = "TEXT", .help = "why"};

}  // namespace

const Command kPolicySourceAddCommand{
    .path = "policy source add",
    .group = kGroup,
    .summary = "take policies and environments from a Git repository",
    .operands = {kName},
    .options = {{.name = "--repository", .value_name = "REPOSITORY", .help = "as mlopsd's configuration names it"},
                {.name = "--path", .value_name = "FOLDER", .help = "where policies are in it, . for everywhere"},
                {.name = "--environments", .value_name = "FILE", .help = "the file of environments in it"},
                {.name = "--branch", .value_name = "BRANCH", .help = "default: the repository's"},
                {.name = "--approvals", .value_name = "N", .help = "how many other people approve each change"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Nothing changes before the first sync. From then on what stands in the repository is changed there alone.

Example:
  mlopsctl policy source add gates --repository gates --path policies/ --environments environments.yaml --approvals 1)",
    .run = run_body<source_add>};

const Command kPolicySourceListCommand{.path = "policy source list",
                                       .group = kGroup,
                                       .summary = "list Git sources and the commits that are applied",
                                       .shared = kOutput,
                                       .description = R"(Example:
  mlopsctl policy source list)",
                                       .run = run_body<source_list>};

const Command kPolicySourceShowCommand{.path = "policy source show",
                                       .group = kGroup,
                                       .summary = "a Git source, what it owns and its plans",
                                       .operands = {kName},
                                       .shared = kOutput,
                                       .description = R"(Example:
  mlopsctl policy source show gates)",
                                       .run = run_body<source_show>};

const Command kPolicySourceSyncCommand{
    .path = "policy source sync",
    .group = kGroup,
    .summary = "plan what a commit changes; without protection, apply it",
    .operands = {kName},
    .options = {{.name = "--commit", .value_name = "SHA", .help = "all 40 digits; default: the branch's newest"},
                {.name = "--accept-rewrite", .help = "go on although the branch was force-pushed; needs --reason"},
                kReason},
    .shared = kOutput | kDryRun,
    .description =
        R"(Shows what is added, changed and removed, and which past decisions would come out otherwise. Refused when the commit that
is applied now is not on the branch any more.

Examples:
  mlopsctl policy source sync gates --dry-run
  mlopsctl policy source sync gates --reason "stricter AUC floor")",
    .run = run_body<source_sync>};

const Command kPolicySourceApproveCommand{
    .path = "policy source approve",
    .group = kGroup,
    .summary = "approve a change of policies that others asked for and wrote",
    .operands = {kPlanOperand},
    .options = {kReason},
    .shared = kOutput | kDryRun,
    .description = R"(Who asked for the plan, or wrote one of its commits, cannot approve it.

Example:
  mlopsctl policy source approve 0193e2c4 --reason "read both policies")",
    .run = run_body<source_approve>};

const Command kPolicySourceApplyCommand{
    .path = "policy source apply",
    .group = kGroup,
    .summary = "apply exactly the commit that was planned",
    .operands = {kPlanOperand},
    .shared = kOutput | kDryRun,
    .description = R"(Exits 6 when the source, its branch or what it changes has moved on since.

Example:
  mlopsctl policy source apply 0193e2c4)",
    .run = run_body<source_apply>};

const Command kPolicySourceRemoveCommand{.path = "policy source remove",
                                         .group = kGroup,
                                         .summary = "remove a Git source; what it owned stays in force",
                                         .operands = {kName},
                                         .options = {kReason},
                                         .shared = kOutput | kDryRun,
                                         .description = R"(Example:
  mlopsctl policy source remove gates --reason "moved to another repository")",
                                         .run = run_body<source_remove>};

}  // namespace mlops::cli
