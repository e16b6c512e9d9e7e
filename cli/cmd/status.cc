#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/clock.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kHistoryLimit = 50;

Query deployments_query(const Session& session, std::string path) {
  Query query(std::move(path));
  query.add("environment", session.option("--env").value_or("")).add("name", session.operand(0)).add_times(session);
  return query;
}

std::string deployment_name(const Json& deployment) {
  return deployment_refs(deployment);
}

// A broken glass is told wherever a deployment is, until it was reviewed and after.
std::string how_of(const Json& deployment) {
  const auto action = text_of(deployment, "action");
  const auto& review = member(deployment, "review");
  if (!review.is_object()) return action;
  const auto outcome = text_of(review, "outcome");
  return action + (outcome.empty() ? ", break-glass ⚠ not reviewed" : ", break-glass, " + outcome);
}

std::vector<Column> status_columns(const Session& session) {
  return {{"ENVIRONMENT", [](const Json& d) { return text_of(d, "environment"); }},
          {"NAME", [](const Json& d) { return text_of(d, "name"); }},
          {"KIND", [](const Json& d) { return text_of(d, "kind"); }},
          {"RUNS", [](const Json& d) { return deployment_refs(d); }},
          {"SINCE", [&session](const Json& d) { return show_time(session, text_of(d, "started_at")); }},
          {"BY", [](const Json& d) { return text_of(d, "by"); }},
          {"HOW", [](const Json& d) { return how_of(d); }},
          {"RELEASE", [](const Json& d) { return text_of(d, "release"); }, true, true},
          {"REASON", [](const Json& d) { return text_of(d, "reason"); }, true},
          {"PLAN", [](const Json& d) { return text_of(d, "plan"); }, true}};
}

// Rows of one environment stand together, names in order inside: the table reads as a matrix.
Json ordered(Json items) {
  std::vector<Json> rows(items.begin(), items.end());
  std::stable_sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
    return std::pair(text_of(a, "environment"), text_of(a, "name")) <
           std::pair(text_of(b, "environment"), text_of(b, "name"));
  });
  return rows;
}

// An environment that runs nothing has no row, and silence could mean either.
void say_idle_environments(Session& session, const Json& running) {
  if (session.wants_json() || session.quiet() || !session.operand(0).empty() || session.option("--env")) return;
  Query query("/api/v1/environments");
  query.add_times(session);
  const auto environments = fetch_list(session.api(), query, kNoLimit);
  if (!environments) return;  // the answer stands without it
  std::set<std::string> busy;
  for (const auto& deployment : running) busy.insert(text_of(deployment, "environment"));
  std::vector<std::string> idle;
  for (const auto& environment : *environments) {
    if (const auto name = text_of(environment, "name"); !busy.contains(name)) idle.push_back(name);
  }
  if (!idle.empty()) session.say("nothing runs in: " + join(idle, ", "));
}

Result<int> status(Session& session) {
  MLOPS_ASSIGN(auto items, fetch_list(session.api(), deployments_query(session, "/api/v1/status"), kNoLimit));
  items = ordered(std::move(items));
  session.print_list(items, status_columns(session), deployment_name, "nothing runs");
  say_idle_environments(session, items);
  return kExitDone;
}

std::vector<Column> history_columns(const Session& session) {
  return {{"FROM", [&session](const Json& d) { return show_time(session, text_of(d, "started_at")); }},
          {"UNTIL",
           [&session](const Json& d) {
             const auto ended = text_of(d, "ended_at");
             return ended.empty() ? std::string("now") : show_time(session, ended);
           }},
          {"ENVIRONMENT", [](const Json& d) { return text_of(d, "environment"); }},
          {"RAN", [](const Json& d) { return deployment_refs(d); }},
          {"HOW", [](const Json& d) { return how_of(d); }},
          {"BY", [](const Json& d) { return text_of(d, "by"); }},
          {"REASON", [](const Json& d) { return text_of(d, "reason"); }},
          {"RELEASE", [](const Json& d) { return text_of(d, "release"); }, true, true},
          {"PLAN", [](const Json& d) { return text_of(d, "plan"); }, true}};
}

Result<int> history(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kHistoryLimit));
  auto query = deployments_query(session, "/api/v1/history");
  query.add("by", session.option("--by").value_or(""));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  session.print_list(items, history_columns(session), deployment_name, "nothing has run yet");
  return kExitDone;
}

Result<int> correct(Session& session) {
  const auto started = session.option("--started-at").value_or("");
  const auto reason = session.option("--reason").value_or("");
  if (started.empty() || reason.empty()) {
    return usage_error("a correction needs --started-at and --reason", "both go into the audit log");
  }
  MLOPS_ASSIGN(const auto time_us, parse_as_of(started, SystemClock().now_us()));
  MLOPS_ASSIGN(
      const auto deployment,
      session.api().post(item_path("deployments", session.operand(0), "/correct"),
                         with_dry_run(session, {{"started_at", format_rfc3339(time_us)}, {"reason", reason}})));
  session.print_value(
      deployment,
      [&] {
        session.print_line(fmt::format("✔ {} ran in {} from {} on", deployment_refs(deployment),
                                       text_of(deployment, "environment"), text_of(deployment, "started_at")));
      },
      [&] { return text_of(deployment, "id"); });
  return kExitDone;
}

const Option kEnvOption{
    .name = "--env", .value_name = "ENV", .help = "only this environment", .complete = Complete::kEnvironment};
const Operand kNameOperand{
    .name = "NAME", .help = "only this artifact", .required = false, .complete = Complete::kArtifact};

}  // namespace

const Command kStatusCommand{.path = "status",
                             .group = "Daily work",
                             .summary = "what each environment runs, since when, and who put it there",
                             .operands = {kNameOperand},
                             .options = {kEnvOption},
                             .shared = kOutput | kAsOf,
                             .description = R"(Examples:
  mlopsctl status
  mlopsctl status hospital/readmission --as-of "2 days ago"
  mlopsctl status --env prod -o json)",
                             .run = run_body<status>};

const Command kHistoryCommand{
    .path = "history",
    .group = "Daily work",
    .summary = "what ran before, newest first",
    .operands = {kNameOperand},
    .options = {kEnvOption,
                {.name = "--by", .value_name = "NAME", .help = "only what this person or service put there"},
                {.name = "--limit", .value_name = "N", .help = "at most so many (default 50; 0: all)"}},
    .shared = kOutput | kAsOf,
    .description =
        R"(Every interval in which an environment ran a release, with who, how and why. --as-of: as it was then; --known-at: as it
had been recorded by then, before later corrections (`history correct`).

Examples:
  mlopsctl history hospital/readmission --env prod
  mlopsctl history --env prod --limit 0 -o json
  mlopsctl history --by rita --known-at 2026-11-01)",
    .run = run_body<history>};

const Command kHistoryCorrectCommand{
    .path = "history correct",
    .group = "Registry",
    .summary = "correct when a deployment began; what was believed before is kept",
    .operands = {{.name = "DEPLOYMENT", .help = "its id, as `history -o json` shows it"}},
    .options = {{.name = "--started-at", .value_name = "TIME", .help = "when it really began"},
                {.name = "--reason", .value_name = "TEXT", .help = "how it is known"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(The release before it ends when this one begins, so that history keeps no gap. Reads with --known-at go on showing what was
believed until now.

Example:
  mlopsctl history correct 019384a2-7b1c --started-at 2026-11-20T08:00:00Z --reason "log of the serving host")",
    .run = run_body<correct>};

}  // namespace mlops::cli
