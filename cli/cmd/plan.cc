#include <fmt/format.h>

#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/plan_diff.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_flow.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"
#include "core/model/selector.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultLimit = 50;

void print_plan(Session& session, const Json& plan) {
  session.print_value(
      plan, [&] { print_lines(session, plan_lines(plan, style_of(session), GateDetail::kAll)); },
      [&] { return text_of(plan, "id"); });
}

// The request that an earlier plan came from, as far as it is a promotion.
Result<Json> request_of(Session& session, const Json& plan) {
  if (text_of(plan, "kind") == "rollback") {
    return usage_error("that is the plan of a rollback", "mlopsctl rollback NAME --env ENV --dry-run decides anew");
  }
  const auto& release = member(plan, "release");
  Json body = {{"environment", text_of(plan, "environment")}, {"reason", text_of(plan, "reason")}};
  if (text_of(release, "kind") == "release") {
    body["ref"] = fmt::format("release:{}@r{}", text_of(release, "name"), int_of(release, "number"));
  } else {
    Json with = Json::array();
    for (const auto& item : array_of(release, "members")) {
      if (body.contains("ref")) with.push_back(text_of(item, "ref"));
      if (!body.contains("ref")) body["ref"] = text_of(item, "ref");
    }
    if (const auto source = text_of(member(plan, "masking"), "source"); !source.empty()) body["ref"] = source;
    body["with"] = std::move(with);
  }
  if (bool_of(plan, "break_glass")) body["break_glass"] = true;
  if (const auto reason = session.option("--reason")) body["reason"] = *reason;
  return body;
}

Result<int> plan_again(Session& session, const std::string& earlier) {
  if (!session.operand(0).empty() || session.option("--to") || !session.option_all("--with").empty()) {
    return usage_error("--again says it all: the same REF to the same ENV",
                       "mlopsctl plan --again " + printable(earlier));
  }
  MLOPS_ASSIGN(const Json before, session.api().get(item_path("plans", earlier)));
  MLOPS_ASSIGN(auto body, request_of(session, before));
  MLOPS_ASSIGN(const Json made, session.api().post("/api/v1/plans", body));
  MLOPS_ASSIGN(const auto differences, plan_differences(session.api(), before, made));
  Json answer = made;
  answer["changes"] = differences;
  session.print_value(
      answer,
      [&] {
        print_lines(session, plan_lines(made, style_of(session), GateDetail::kAll));
        session.print_line("");
        print_lines(session, difference_lines(differences, before, made, style_of(session)));
      },
      [&] { return text_of(made, "id"); });
  return text_of(made, "verdict") == "pass" ? kExitDone : kExitRefused;
}

std::string open_gates(const Json& plan) {
  std::set<std::string> ids;
  for (const auto& gate : array_of(plan, "gates")) {
    if (text_of(gate, "verdict") != "pass") ids.insert(text_of(gate, "id"));
  }
  return join({ids.begin(), ids.end()}, ", ");
}

// One plan and one line for each environment that the selector chooses.
Result<int> plan_many(Session& session, const std::string& selector) {
  Query query("/api/v1/environments");
  query.add("match", selector);
  MLOPS_ASSIGN(const auto environments, fetch_list(session.api(), query, kNoLimit));
  if (environments.empty()) {
    return fail(ErrorCode::kNotFound, "no_environment_matches",
                fmt::format("no environment matches \"{}\"", printable(selector)), "`mlopsctl env list` shows them");
  }
  Json plans = Json::array();
  bool all_pass = true;
  for (const auto& environment : environments) {
    MLOPS_ASSIGN(const auto body, plan_request(session, session.operand(0), text_of(environment, "name")));
    MLOPS_ASSIGN(auto made, session.api().post("/api/v1/plans", body));
    all_pass = all_pass && text_of(made, "verdict") == "pass";
    plans.push_back(std::move(made));
  }
  const std::vector<Column> columns = {{"ENVIRONMENT", [](const Json& p) { return text_of(p, "environment"); }},
                                       {"VERDICT",
                                        [](const Json& p) {
                                          const auto verdict = text_of(p, "verdict");
                                          return verdict_mark(verdict).mark + " " + verdict;
                                        }},
                                       {"RUNS NOW", [](const Json& p) { return text_of(p, "running"); }},
                                       {"OPEN GATES", open_gates},
                                       {"PLAN", [](const Json& p) { return short_id(text_of(p, "id")); }}};
  session.print_list(
      plans, columns, [](const Json& p) { return text_of(p, "id"); }, "");
  return all_pass ? kExitDone : kExitRefused;
}

Result<int> plan(Session& session) {
  if (const auto again = session.option("--again")) return plan_again(session, *again);
  const auto environment = session.option("--to").value_or("");
  if (session.operand(0).empty() || environment.empty()) {
    return usage_error("what goes where? REF names the version, --to the environment", "mlopsctl plan REF --to prod");
  }
  if (model::is_selector(environment)) return plan_many(session, environment);
  MLOPS_ASSIGN(const auto body, plan_request(session, session.operand(0), environment));
  MLOPS_ASSIGN(const Json made, session.api().post("/api/v1/plans", body));
  print_plan(session, made);
  return text_of(made, "verdict") == "pass" ? kExitDone : kExitRefused;
}

std::vector<Column> plan_columns(const Session& session) {
  return {{"PLAN", [](const Json& p) { return short_id(text_of(p, "id")); }},
          {"STATE", [](const Json& p) { return text_of(p, "state"); }},
          {"VERDICT",
           [](const Json& p) {
             const auto verdict = text_of(p, "verdict");
             return verdict_mark(verdict).mark + " " + verdict;
           }},
          {"WHAT", [](const Json& p) { return text_of(p, "kind") + " " + deployment_refs(member(p, "release")); }},
          {"TO", [](const Json& p) { return text_of(p, "environment"); }},
          {"APPROVALS",
           [](const Json& p) {
             const auto needed = int_of(p, "approvals_needed");
             return needed > 0 ? fmt::format("{}/{}", approvals_given(p), needed) : std::string("none needed");
           }},
          {"BY", [](const Json& p) { return text_of(p, "requested_by"); }},
          {"ASKED", [&session](const Json& p) { return show_time(session, text_of(p, "requested_at")); }},
          {"REASON", [](const Json& p) { return text_of(p, "reason"); }, true},
          {"DIGEST", [](const Json& p) { return text_of(p, "digest"); }, true}};
}

// Exit 3 when they differ, as every difference does.
Result<int> compare_plans(Session& session, const std::string& other, const Json& plan) {
  MLOPS_ASSIGN(const Json before, session.api().get(item_path("plans", other)));
  MLOPS_ASSIGN(const auto differences, plan_differences(session.api(), before, plan));
  session.print_value(
      {{"a", text_of(before, "id")}, {"b", text_of(plan, "id")}, {"changes", differences}},
      [&] { print_lines(session, difference_lines(differences, before, plan, style_of(session))); },
      [&] { return std::to_string(differences.size()); });
  return differences.empty() ? kExitDone : kExitRefused;
}

Result<int> plans(Session& session) {
  if (const auto id = session.operand(0); !id.empty()) {
    MLOPS_ASSIGN(const Json found, session.api().get(item_path("plans", id)));
    if (const auto other = session.option("--against")) return compare_plans(session, *other, found);
    print_plan(session, found);
    return kExitDone;
  }
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultLimit));
  Query query("/api/v1/plans");
  query.add("state", session.option("--state").value_or("")).add("environment", session.option("--env").value_or(""));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  session.print_list(
      items, plan_columns(session), [](const Json& p) { return text_of(p, "id"); }, "no plans");
  return kExitDone;
}

}  // namespace

const Command kPlanCommand{
    .path = "plan",
    .group = "Daily work",
    .summary = "evaluate every gate for a promotion; changes nothing that runs",
    .operands = {{.name = "REF",
                  .help = "the version to promote, or release:NAME@r1",
                  .required = false,
                  .complete = Complete::kReference}},
    .options = {{.name = "--to",
                 .value_name = "ENV",
                 .help = "the environment; 'prod/*' or label:tenant=acme: a line for each",
                 .complete = Complete::kEnvironment},
                {.name = "--with",
                 .value_name = "REF",
                 .help = "another version that moves in the same release",
                 .repeated = true,
                 .complete = Complete::kReference},
                {.name = "--reason", .value_name = "TEXT", .help = "why; required where the environment says so"},
                {.name = "--again",
                 .value_name = "PLAN",
                 .help = "make this plan anew and show what changed",
                 .complete = Complete::kPlan},
                {.name = "--break-glass", .help = "as `promote --break-glass` would decide (role oncall)"},
                {.name = "--even-rejected", .help = "say that a release that was rolled back from is meant"},
                {.name = "--idempotency-key",
                 .value_name = "KEY",
                 .help = "sent again with the same key, one plan is made"}},
    .shared = kOutput,
    .description =
        R"(Prints each gate with its verdict, the facts it looked at, the rule's file and line, and what would make it pass, and
gives a plan with a digest. Approvals sign that digest; `promote --plan` executes exactly that plan or fails as stale.

Exit code 0 when every gate passes, 3 when one fails or approvals are missing.

Examples:
  mlopsctl plan hospital/readmission@v3 --to prod
  mlopsctl plan hospital/readmission@v3 --with hospital/thresholds@v7 --to prod --reason "quarterly retraining"
  mlopsctl plan release:hospital/readmission-stack@r2 --to prod --reason "with its thresholds"
  mlopsctl plan --again 019384a2-7b1c-7e02)",
    .run = run_body<plan>};

const Command kPlansCommand{
    .path = "plans",
    .group = "Registry",
    .summary = "list plans, or show one again",
    .operands = {{.name = "PLAN",
                  .help = "id, or a unique beginning of id or digest",
                  .required = false,
                  .complete = Complete::kPlan}},
    .options = {{.name = "--state",
                 .value_name = "STATE",
                 .help = "only plans in this state",
                 .complete = Complete::kChoice,
                 .choices = {"open", "executed", "rejected", "stale", "expired"}},
                {.name = "--against",
                 .value_name = "PLAN",
                 .help = "what differs from that plan: pins, facts, verdicts",
                 .complete = Complete::kPlan},
                {.name = "--env",
                 .value_name = "ENV",
                 .help = "only plans for this environment",
                 .complete = Complete::kEnvironment},
                {.name = "--limit", .value_name = "N", .help = "at most so many (default 50; 0: all)"}},
    .shared = kOutput,
    .description = R"(Examples:
  mlopsctl plans --state open
  mlopsctl plans 019384a2-7b1c-7e02
  mlopsctl plans 019384a2-7b1c-7e02 --against 01938200-11aa-7001)",
    .run = run_body<plans>};

}  // namespace mlops::cli
