// watch: changes as they come, a line each.
#include <fmt/format.h>

#include <cstdio>

#include "cli/cmd/event_stream.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

// A number, or a time as people write it.
Result<std::string> since_of(const Session& session) {
  const auto text = session.option("--since").value_or("");
  if (text.empty() || parse_int(text)) return text;
  MLOPS_ASSIGN(const auto time_us, parse_as_of(text, SystemClock().now_us()));
  return format_rfc3339(time_us);
}

std::string line_of(const Session& session, const StreamEvent& event, const Json& whole) {
  const auto& data = member(whole, "data");
  const auto reason = text_of(data, "reason");
  return fmt::format("{}  {:>6}  {}  {}  by {}{}{}", session.paint(Tone::kDim, text_of(whole, "time")), event.id,
                     session.paint(Tone::kBold, text_of(data, "action")), text_of(data, "target"),
                     text_of(data, "actor"), reason.empty() ? "" : ": ", reason);
}

Result<int> watch(Session& session) {
  Follow what;
  what.types = join(session.option_all("--events"), ",");
  what.subject = session.option("--subject").value_or("");
  what.environment = session.option("--env").value_or("");
  MLOPS_ASSIGN(what.since, since_of(session));
  std::int64_t left = 0;
  if (const auto count = session.option("--count")) {
    const auto parsed = parse_int(*count);
    if (!parsed || *parsed < 1) return usage_error("--count takes a number from 1");
    left = *parsed;
  }
  Follower follower;
  follower.on_event = [&](const StreamEvent& event) -> Result<FollowNext> {
    MLOPS_ASSIGN(const auto whole, parse_json(event.data));
    session.print_line(session.wants_json() ? canonical_dump(whole) : line_of(session, event, whole));
    std::fflush(stdout);  // whoever reads a pipe waits for this line
    return left > 0 && --left == 0 ? FollowNext::kStop : FollowNext::kGoOn;
  };
  follower.on_life = []() -> Result<FollowNext> { return FollowNext::kGoOn; };
  follower.on_break = [&](const Error& error) { session.say("the connection broke, trying again: " + error.message); };
  MLOPS_TRY(follow_events(session.api(), what, follower, real_pace()));
  return kExitDone;
}

}  // namespace

const Command kWatchCommand{
    .path = "watch",
    .group = "Daily work",
    .summary = "show changes as they come",
    .options =
        {{.name = "--events", .value_name = "PATTERN", .help = "only these: release.*, plan.approve", .repeated = true},
         {.name = "--env", .value_name = "ENV", .help = "only of this environment", .complete = Complete::kEnvironment},
         {.name = "--subject", .value_name = "SUBJECT", .help = "only of this subject: hospital/readmission#prod"},
         {.name = "--since", .value_name = "SEQ|TIME", .help = "begin at this event or moment, not now"},
         {.name = "--count", .value_name = "N", .help = "end after so many"}},
    .shared = kOutput,
    .description =
        R"(One line an event, until it is stopped; under -o json each line is a CloudEvent. When the connection breaks or the
server restarts, it goes on where it was. Readers see versions, plans, releases, environments and policies; who may read
the audit log sees everything.

Examples:
  mlopsctl watch --events 'release.*' --env prod
  mlopsctl watch --since yesterday -o json)",
    .run = run_body<watch>};

}  // namespace mlops::cli
