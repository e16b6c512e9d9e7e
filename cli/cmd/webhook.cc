// webhook …: who is told of changes, and what they have not taken.
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

constexpr const char* kGroup = "Events";

Operand name_operand() {
  return {.name = "NAME", .help = "the webhook"};
}

std::string path_of(const Session& session, std::string_view suffix = {}) {
  return item_path("webhooks", session.operand(0), suffix);
}

void tell(Session& session, const Json& answer, const std::string& what) {
  session.print_value(
      answer,
      [&] {
        const auto mark = session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                                            : session.paint(Tone::kGood, "✔") + " ";
        session.print_line(mark + what);
      },
      [&] { return text_of(answer, "name"); });
}

void tell_secret(Session& session, const Json& answer, const std::string& what) {
  tell(session, answer, what);
  if (session.wants_json() || session.dry_run()) return;
  session.print_line("secret  " + text_of(answer, "secret"));
  session.say("the secret is shown this once; the receiver checks webhook-signature with it");
}

Result<int> add(Session& session) {
  const Json body = {{"name", session.operand(0)},
                     {"url", session.operand(1)},
                     {"events", session.option_all("--events")},
                     {"mode", session.option("--mode").value_or("structured")},
                     {"subject", session.option("--subject").value_or("")},
                     {"environment", session.option("--env").value_or("")}};
  if (session.option_all("--events").empty()) {
    return usage_error("which events? --events names them", "--events 'release.*', or --events '*' for all");
  }
  MLOPS_ASSIGN(const auto made, session.api().post("/api/v1/webhooks", with_dry_run(session, body)));
  tell_secret(session, made, fmt::format("{} is told of what happens from now on", text_of(made, "name")));
  return kExitDone;
}

std::string last_result(const Json& webhook) {
  if (text_of(webhook, "last_attempt_at").empty()) return "nothing sent yet";
  const auto error = text_of(webhook, "last_error");
  return error.empty() ? "delivered" : error;
}

Result<int> list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/webhooks"), kNoLimit));
  const std::vector<Column> columns = {
      {"WEBHOOK", [](const Json& w) { return text_of(w, "name"); }},
      {"STATE", [](const Json& w) { return text_of(w, "state"); }},
      {"EVENTS", [](const Json& w) { return join(strings_of(w, "events"), ", "); }},
      {"DELIVERED", [](const Json& w) { return grouped(int_of(w, "delivered")); }, false, true},
      {"LAG", [](const Json& w) { return grouped(int_of(w, "lag")); }, false, true},
      {"HELD", [](const Json& w) { return grouped(int_of(w, "held")); }, false, true},
      {"DEAD", [](const Json& w) { return grouped(int_of(w, "dead")); }, false, true},
      {"LAST", last_result},
      {"URL", [](const Json& w) { return text_of(w, "url"); }, true},
      {"MODE", [](const Json& w) { return text_of(w, "mode"); }, true},
      {"ENV", [](const Json& w) { return text_of(w, "environment"); }, true},
      {"SUBJECT", [](const Json& w) { return text_of(w, "subject"); }, true},
      {"CREATED", [&session](const Json& w) { return show_time(session, text_of(w, "created_at")); }, true}};
  session.print_list(
      items, columns, [](const Json& w) { return text_of(w, "name"); }, "no webhook");
  return kExitDone;
}

void print_webhook(Session& session, const Json& webhook) {
  KeyValues rows;
  rows.add("webhook", text_of(webhook, "name"), Tone::kBold);
  rows.add("url", text_of(webhook, "url"));
  rows.add("state", text_of(webhook, "state"));
  rows.add("events", join(strings_of(webhook, "events"), ", "));
  for (const char* key : {"environment", "subject", "mode"}) rows.add(key, text_of(webhook, key));
  rows.add("delivered", fmt::format("{}, {} attempts failed", grouped(int_of(webhook, "delivered")),
                                    grouped(int_of(webhook, "failed_attempts"))));
  rows.add("lag", counted(int_of(webhook, "lag"), "entry", "entries"));
  rows.add("held", fmt::format("{} in {}", counted(int_of(webhook, "held"), "event", "events"),
                               counted(int_of(webhook, "held_lanes"), "lane", "lanes")));
  rows.add("dead", counted(int_of(webhook, "dead"), "letter", "letters"));
  rows.add("last", last_result(webhook));
  if (const auto until = text_of(webhook, "resting_until"); !until.empty()) {
    rows.add("resting until", show_time(session, until));
  }
  if (const auto until = text_of(webhook, "old_secret_until"); !until.empty()) {
    rows.add("old secret until", show_time(session, until));
  }
  print_lines(session, rows.lines(style_of(session)));
  for (const auto& held : array_of(webhook, "lanes")) {
    session.print_line(fmt::format("  held {}  {}  {}, {}, again {}", text_of(held, "seq"), text_of(held, "subject"),
                                   counted(int_of(held, "attempts"), "attempt", "attempts"),
                                   text_of(held, "last_error"), show_time(session, text_of(held, "next_attempt_at"))));
  }
}

Result<int> show(Session& session) {
  MLOPS_ASSIGN(const auto webhook, session.api().get(path_of(session)));
  session.print_value(
      webhook, [&] { print_webhook(session, webhook); }, [&] { return text_of(webhook, "name"); });
  return kExitDone;
}

Result<int> change(Session& session, std::string_view suffix, std::string_view said) {
  const Json body = {{"reason", session.option("--reason").value_or("")}};
  MLOPS_ASSIGN(const auto webhook, session.api().post(path_of(session, suffix), with_dry_run(session, body)));
  tell(session, webhook, fmt::format("{} {}", text_of(webhook, "name"), said));
  return kExitDone;
}

Result<int> pause(Session& session) {
  return change(session, "/pause", "is paused; what happens meanwhile is sent when it resumes");
}

Result<int> resume(Session& session) {
  return change(session, "/resume", "goes on");
}

Result<int> remove(Session& session) {
  MLOPS_ASSIGN(const auto webhook, session.api().del(path_of(session), with_dry_run(session, Json::object())));
  tell(session, webhook, fmt::format("{} is removed", text_of(webhook, "name")));
  return kExitDone;
}

Result<int> rotate(Session& session) {
  Json body = Json::object();
  if (const auto text = session.option("--overlap")) {
    MLOPS_ASSIGN(body["overlap_s"], parse_duration_s(*text));
  }
  MLOPS_ASSIGN(const auto made, session.api().post(path_of(session, "/rotate"), with_dry_run(session, body)));
  tell_secret(session, made, fmt::format("{} has a new secret", text_of(made, "name")));
  return kExitDone;
}

Result<int> test(Session& session) {
  MLOPS_ASSIGN(const auto answer, session.api().post(path_of(session, "/test"), Json::object()));
  const bool is_delivered = bool_of(answer, "delivered");
  session.print_value(
      answer,
      [&] {
        session.print_line(is_delivered ? session.paint(Tone::kGood, "✔") + " the receiver took the test event"
                                        : session.paint(Tone::kBad, "✘") + " not taken: " + text_of(answer, "error"));
      },
      [&] { return text_of(answer, "status"); });
  return is_delivered ? kExitDone : kExitRefused;
}

Result<int> dead(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query(path_of(session, "/dead")), kNoLimit));
  const std::vector<Column> columns = {
      {"SEQ", [](const Json& d) { return text_of(d, "seq"); }, false, true},
      {"AT", [&session](const Json& d) { return show_time(session, text_of(d, "at")); }},
      {"TYPE", [](const Json& d) { return text_of(d, "type"); }},
      {"TARGET", [](const Json& d) { return text_of(d, "target"); }},
      {"ATTEMPTS", [](const Json& d) { return text_of(d, "attempts"); }, false, true},
      {"LAST", [](const Json& d) { return text_of(d, "last_error"); }},
      {"GIVEN UP", [&session](const Json& d) { return show_time(session, text_of(d, "changed_at")); }}};
  session.print_list(
      items, columns, [](const Json& d) { return text_of(d, "seq"); }, "no dead letters");
  return kExitDone;
}

Result<int> redeliver(Session& session) {
  Json body = Json::object();
  if (const auto seq = session.option("--event")) {
    const auto number = parse_int(*seq);
    if (!number) return usage_error("--event takes the number of an event");
    body["event"] = *number;
  }
  if (const auto from = session.option("--since")) {
    body["since"] = *from;
    if (!parse_int(*from)) {
      MLOPS_ASSIGN(const auto time_us, parse_as_of(*from, SystemClock().now_us()));
      body["since"] = format_rfc3339(time_us);
    }
  }
  if (session.flag("--all")) body["all"] = true;
  if (body.size() != 1) return usage_error("what goes out again?", "one of --event SEQ, --since SEQ|TIME, --all");
  MLOPS_ASSIGN(const auto answer, session.api().post(path_of(session, "/redeliver"), with_dry_run(session, body)));
  tell(session, answer, fmt::format("{} to look at again", counted(int_of(answer, "count"), "event", "events")));
  return kExitDone;
}

Option reason_option() {
  return {.name = "--reason", .value_name = "TEXT", .help = "why; it goes into the audit log"};
}

}  // namespace

const Command kWebhookAddCommand{
    .path = "webhook add",
    .group = kGroup,
    .summary = "tell a receiver of changes from now on",
    .operands = {{.name = "NAME", .help = "how it is named here"}, {.name = "URL", .help = "where events are sent"}},
    .options = {{.name = "--events",
                 .value_name = "PATTERN",
                 .help = "which: '*', 'release.*', plan.approve",
                 .repeated = true},
                {.name = "--mode",
                 .value_name = "MODE",
                 .help = "CloudEvents in one JSON body (structured, the default) or in headers (binary)",
                 .complete = Complete::kChoice,
                 .choices = {"structured", "binary"}},
                {.name = "--env",
                 .value_name = "ENV",
                 .help = "only events of this environment",
                 .complete = Complete::kEnvironment},
                {.name = "--subject", .value_name = "SUBJECT", .help = "only events of this subject"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Every change becomes a CloudEvent, signed as Standard Webhooks say, sent at least once and in order for each subject. The
secret is shown this once. Private addresses are refused unless mlopsd's configuration allows them.

Example:
  mlopsctl webhook add ci https://ci.example.org/hooks/mlops --events 'release.*' --env prod)",
    .run = run_body<add>};

const Command kWebhookListCommand{.path = "webhook list",
                                  .group = kGroup,
                                  .summary = "list receivers of events, and how far each has got",
                                  .shared = kOutput,
                                  .description = R"(LAG counts entries of the audit log that were not looked at yet.

Example:
  mlopsctl webhook list -o wide)",
                                  .run = run_body<list>};

const Command kWebhookShowCommand{.path = "webhook show",
                                  .group = kGroup,
                                  .summary = "show a receiver, its last error and what it holds up",
                                  .operands = {name_operand()},
                                  .shared = kOutput,
                                  .description = R"(Example:
  mlopsctl webhook show ci)",
                                  .run = run_body<show>};

const Command kWebhookPauseCommand{.path = "webhook pause",
                                   .group = kGroup,
                                   .summary = "send nothing for now; nothing is lost",
                                   .operands = {name_operand()},
                                   .options = {reason_option()},
                                   .shared = kOutput | kDryRun,
                                   .description = R"(Example:
  mlopsctl webhook pause ci --reason "the receiver moves")",
                                   .run = run_body<pause>};

const Command kWebhookResumeCommand{
    .path = "webhook resume",
    .group = kGroup,
    .summary = "go on, or try again at once",
    .operands = {name_operand()},
    .options = {reason_option()},
    .shared = kOutput | kDryRun,
    .description = R"(Also for a webhook that rests because its receiver did not answer, or that was disabled because
the receiver answered 410.

Example:
  mlopsctl webhook resume ci)",
    .run = run_body<resume>};

const Command kWebhookRemoveCommand{.path = "webhook remove",
                                    .group = kGroup,
                                    .summary = "remove a receiver, with what it has not taken",
                                    .operands = {name_operand()},
                                    .shared = kOutput | kDryRun,
                                    .description = R"(Example:
  mlopsctl webhook remove ci)",
                                    .run = run_body<remove>};

const Command kWebhookRotateCommand{
    .path = "webhook rotate-secret",
    .group = kGroup,
    .summary = "make a new secret; the old one signs too for a while",
    .operands = {name_operand()},
    .options = {{.name = "--overlap",
                 .value_name = "TIME",
                 .help = "how long the old one goes on (default 24h; 0s: not)"}},
    .shared = kOutput | kDryRun,
    .description = R"(Meanwhile webhook-signature holds a signature of each: the receiver takes either.

Example:
  mlopsctl webhook rotate-secret ci --overlap 2h)",
    .run = run_body<rotate>};

const Command kWebhookTestCommand{.path = "webhook test",
                                  .group = kGroup,
                                  .summary = "send one test event now",
                                  .operands = {name_operand()},
                                  .shared = kOutput,
                                  .description = R"(Exit code 0 when the receiver took it, 3 when not.

Example:
  mlopsctl webhook test ci)",
                                  .run = run_body<test>};

const Command kWebhookDeadCommand{
    .path = "webhook dead",
    .group = kGroup,
    .summary = "list events that were given up",
    .operands = {name_operand()},
    .shared = kOutput,
    .description = R"(After its last attempt an event is kept here, and the next one of its subject is sent.

Example:
  mlopsctl webhook dead ci)",
    .run = run_body<dead>};

const Command kWebhookRedeliverCommand{
    .path = "webhook redeliver",
    .group = kGroup,
    .summary = "send events again",
    .operands = {name_operand()},
    .options = {{.name = "--event", .value_name = "SEQ", .help = "this one, dead or delivered"},
                {.name = "--since", .value_name = "SEQ|TIME", .help = "everything from there on"},
                {.name = "--all", .help = "all dead letters"}},
    .shared = kOutput | kDryRun,
    .description = R"(They have the same webhook-id as before, by which a receiver tells that it has them already.

Examples:
  mlopsctl webhook redeliver ci --all
  mlopsctl webhook redeliver ci --since 2026-11-01)",
    .run = run_body<redeliver>};

}  // namespace mlops::cli
