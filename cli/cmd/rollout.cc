// Rollouts under way and done: list, show, continue, stop.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rollout_flow.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultLimit = 50;

Result<int> rollout_list(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultLimit));
  Query query("/api/v1/rollouts");
  query.add("state", session.option("--state").value_or(""));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  const std::vector<Column> columns = {
      {"ROLLOUT", [](const Json& r) { return short_id(text_of(r, "id")); }},
      {"STATE", [](const Json& r) { return text_of(r, "state"); }},
      {"WHAT", [](const Json& r) { return join(strings_of(r, "refs"), " + "); }},
      {"TO", [](const Json& r) { return text_of(r, "to"); }},
      {"BY", [](const Json& r) { return text_of(r, "created_by"); }},
      {"BEGUN", [&session](const Json& r) { return show_time(session, text_of(r, "created_at")); }},
      {"WHY", [](const Json& r) { return text_of(r, "state_reason"); }},
      {"REASON", [](const Json& r) { return text_of(r, "reason"); }, true}};
  session.print_list(
      items, columns, [](const Json& r) { return text_of(r, "id"); }, "no rollouts");
  return kExitDone;
}

int print_rollout(Session& session, const Json& rollout) {
  session.print_value(
      rollout, [&] { print_lines(session, rollout_lines(rollout, style_of(session))); },
      [&] { return text_of(rollout, "id"); });
  return kExitDone;
}

Result<int> rollout_show(Session& session) {
  MLOPS_ASSIGN(const Json rollout, session.api().get(item_path("rollouts", session.operand(0))));
  return print_rollout(session, rollout);
}

Result<int> rollout_continue(Session& session) {
  MLOPS_ASSIGN(const auto wait, wait_options(session));
  MLOPS_ASSIGN(auto rollout, session.api().post(item_path("rollouts", session.operand(0), "/continue"),
                                                with_dry_run(session, Json::object())));
  if (session.dry_run()) return print_rollout(session, rollout);
  return follow_rollout(session, std::move(rollout), wait, real_pace());
}

Result<int> rollout_stop(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("stopping needs --reason", "it goes into the audit log");
  MLOPS_ASSIGN(const Json rollout, session.api().post(item_path("rollouts", session.operand(0), "/stop"),
                                                      with_dry_run(session, {{"reason", reason}})));
  return print_rollout(session, rollout);
}

const Operand kRolloutOperand{.name = "ROLLOUT", .help = "its id, or a unique beginning of at least 8 characters"};

}  // namespace

const Command kRolloutListCommand{
    .path = "rollout list",
    .group = "Rollouts",
    .summary = "list promotions to several environments",
    .options = {{.name = "--state",
                 .value_name = "STATE",
                 .help = "only those in this state",
                 .complete = Complete::kChoice,
                 .choices = {"running", "paused", "rolling_back", "stopped", "done"}},
                {.name = "--limit", .value_name = "N", .help = "at most so many (default 50; 0: all)"}},
    .shared = kOutput,
    .description = R"(Example:
  mlopsctl rollout list --state paused)",
    .run = run_body<rollout_list>};

const Command kRolloutShowCommand{.path = "rollout show",
                                  .group = "Rollouts",
                                  .summary = "one rollout with what each environment's step came to",
                                  .operands = {kRolloutOperand},
                                  .shared = kOutput,
                                  .description = R"(Example:
  mlopsctl rollout show 019384a2-7b1c-7e02)",
                                  .run = run_body<rollout_show>};

const Command kRolloutContinueCommand{
    .path = "rollout continue",
    .group = "Rollouts",
    .summary = "go on with a paused rollout",
    .operands = {kRolloutOperand},
    .options = {{.name = "--timeout", .value_name = "TIME", .help = "longest wait, e.g. 10m, 2h (default 1h)"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Ends the pause between waves, or tries again the step that waited for an approval. From here on the rollout acts with
your rights.

Example:
  mlopsctl rollout continue 019384a2-7b1c-7e02)",
    .run = run_body<rollout_continue>};

const Command kRolloutStopCommand{.path = "rollout stop",
                                  .group = "Rollouts",
                                  .summary = "stop a rollout; environments that it has not reached stay as they are",
                                  .operands = {kRolloutOperand},
                                  .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}},
                                  .shared = kOutput | kDryRun,
                                  .description = R"(Example:
  mlopsctl rollout stop 019384a2-7b1c-7e02 --reason "alerts in the first wave")",
                                  .run = run_body<rollout_stop>};

}  // namespace mlops::cli
