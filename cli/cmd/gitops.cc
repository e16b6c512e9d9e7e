// Deployments as commits of GitOps repositories: gitops status, gitops retry.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kShown = 20;

Result<int> gitops_status(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kShown));
  Query query("/api/v1/gitops");
  query.add("environment", session.option("--env").value_or(""));
  query.add("state", session.option("--state").value_or(""));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  const std::vector<Column> columns = {
      {"DEPLOYMENT", [](const Json& o) { return short_id(text_of(o, "deployment")); }},
      {"ENVIRONMENT", [](const Json& o) { return text_of(o, "environment"); }},
      {"REPOSITORY", [](const Json& o) { return text_of(o, "repository"); }},
      {"STATE", [](const Json& o) { return text_of(o, "state"); }},
      {"COMMIT", [](const Json& o) { return text_of(o, "commit").substr(0, 12); }},
      {"TRIES", [](const Json& o) { return text_of(o, "attempts"); }, false, true},
      {"CHANGED", [&session](const Json& o) { return show_time(session, text_of(o, "changed_at")); }},
      {"PROBLEM", [](const Json& o) { return text_of(o, "problem"); }}};
  session.print_list(
      items, columns, [](const Json& o) { return text_of(o, "deployment"); },
      "no deployment of an environment with `gitops`");
  return kExitDone;
}

Result<int> gitops_retry(Session& session) {
  const Json body = with_dry_run(session, {{"environment", session.option("--env").value_or("")}});
  MLOPS_ASSIGN(const Json done, session.api().post("/api/v1/gitops/retry", body));
  session.print_value(
      done,
      [&] {
        session.print_line(
            session.paint(Tone::kGood, "✔") +
            fmt::format(" {} tried again now", counted(int_of(done, "retried"), "commit is", "commits are")));
        if (session.dry_run()) session.say("dry run: nothing was changed");
      },
      [&] { return text_of(done, "retried"); });
  return kExitDone;
}

const Option kEnvironment{
    .name = "--env", .value_name = "ENV", .help = "only this environment", .complete = Complete::kEnvironment};

}  // namespace

const Command kGitopsStatusCommand{
    .path = "gitops status",
    .group = "Environments and policies",
    .summary = "deployments as commits of GitOps repositories",
    .options = {kEnvironment,
                {.name = "--state",
                 .value_name = "STATE",
                 .help = "only these",
                 .complete = Complete::kChoice,
                 .choices = {"pending", "done", "failed", "superseded"}},
                {.name = "--limit", .value_name = "N", .help = "how many (default 20, 0 for all)"}},
    .shared = kOutput,
    .description = R"(A commit that cannot be pushed is tried again with growing pauses, in order.

Example:
  mlopsctl gitops status --env prod --state pending)",
    .run = run_body<gitops_status>};

const Command kGitopsRetryCommand{.path = "gitops retry",
                                  .group = "Environments and policies",
                                  .summary = "try again now what failed or waits",
                                  .options = {kEnvironment},
                                  .shared = kOutput | kDryRun,
                                  .description = R"(Example:
  mlopsctl gitops retry --env prod)",
                                  .run = run_body<gitops_retry>};

}  // namespace mlops::cli
