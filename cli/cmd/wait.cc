// wait: ends when something has come to be, when it no longer can, or when time is out.
#include <fmt/format.h>

#include "cli/cmd/event_stream.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kDefaultTimeoutS = 3600;
// What no event tells, such as a plan that expires, is seen this much later.
constexpr std::int64_t kLookAgainUs = 10 * kMicros;

enum class Standing { kNotYet, kReached };

struct Condition {
  std::string word;  // approved, executed, deployed, event
  std::string what;  // a plan, a reference, a pattern
  std::string environment;
};

Result<Standing> look_at_plan(ApiClient& api, const Condition& wanted) {
  MLOPS_ASSIGN(const Json plan, api.get(item_path("plans", wanted.what)));
  const auto state = text_of(plan, "state");
  if (state == "executed") return Standing::kReached;
  if (state != "open") {
    return fail(ErrorCode::kRefused, "cannot_happen", fmt::format("plan {} is {}", text_of(plan, "id"), state),
                "mlopsctl plans " + text_of(plan, "id"));
  }
  if (wanted.word == "approved" && text_of(plan, "verdict") == "pass") return Standing::kReached;
  return Standing::kNotYet;
}

Result<Standing> look_at_deployment(ApiClient& api, const Condition& wanted) {
  MLOPS_ASSIGN(const Json version, api.get(item_path("versions", wanted.what)));
  for (const auto& environment : strings_of(version, "environments")) {
    if (environment == wanted.environment) return Standing::kReached;
  }
  return Standing::kNotYet;
}

Result<Standing> look_at_nothing(ApiClient&, const Condition&) {
  return Standing::kNotYet;
}

struct ConditionRow {
  std::string_view word;
  const char* types;  // of the events after which it is looked again; null: the event is what is waited for
  Result<Standing> (*look)(ApiClient&, const Condition&);
};
constexpr ConditionRow kConditions[] = {{"approved", "plan.*,release.*", look_at_plan},
                                        {"executed", "plan.*,release.*", look_at_plan},
                                        {"deployed", "release.*", look_at_deployment},
                                        {"event", nullptr, look_at_nothing}};

const ConditionRow* find_condition(std::string_view word) {
  if (word == "deployment") word = "deployed";
  for (const auto& row : kConditions) {
    if (row.word == word) return &row;
  }
  return nullptr;
}

// "approved" with "plan/ID", or both in one: "plan/ID=executed".
Result<Condition> read_condition(const Session& session) {
  Condition wanted{session.option("--for").value_or(""), session.operand(0), session.option("--env").value_or("")};
  if (const auto equals = wanted.word.find('='); equals != std::string::npos) {
    if (!wanted.what.empty()) return usage_error("what is waited for is said twice");
    wanted.what = wanted.word.substr(0, equals);
    wanted.word.erase(0, equals + 1);
  }
  if (wanted.what.starts_with("plan/")) wanted.what.erase(0, 5);
  const auto* row = find_condition(wanted.word);
  if (!row) {
    return usage_error(fmt::format("--for does not know \"{}\"", printable(wanted.word)),
                       "approved, executed, deployed or event");
  }
  wanted.word = row->word;
  if (wanted.what.empty()) return usage_error("wait for what?", "for example: mlopsctl wait --for=approved plan/ID");
  if (wanted.word == "deployed") {
    MLOPS_TRY(model::parse_version_reference(wanted.what));
    if (wanted.environment.empty()) return usage_error("deployed where? --env names the environment");
  }
  return wanted;
}

Failure timed_out(const Condition& wanted, std::int64_t timeout_s) {
  return fail(ErrorCode::kTimeout, "wait_timed_out",
              fmt::format("{} {} did not come within {} s", wanted.what, wanted.word, timeout_s));
}

Result<int> wait(Session& session) {
  MLOPS_ASSIGN(const auto wanted, read_condition(session));
  std::int64_t timeout_s = kDefaultTimeoutS;
  if (const auto text = session.option("--timeout")) {
    MLOPS_ASSIGN(timeout_s, parse_duration_s(*text));
  }
  const auto& row = *find_condition(wanted.word);
  const auto pace = real_pace();
  const auto deadline_us = pace.clock.now_us() + timeout_s * kMicros;
  // Looked at over a connection of its own, while the events come over the other.
  MLOPS_ASSIGN(const auto looker, session.api().another());
  TimestampUs looked_at_us = 0;
  bool is_reached = false;
  const auto look = [&]() -> Result<FollowNext> {
    looked_at_us = pace.clock.now_us();
    MLOPS_ASSIGN(const auto standing, row.look(*looker, wanted));
    is_reached = standing == Standing::kReached;
    return is_reached ? FollowNext::kStop : FollowNext::kGoOn;
  };
  Json seen;
  Follower follower;
  follower.on_event = [&](const StreamEvent& event) -> Result<FollowNext> {
    if (row.types) return look();
    MLOPS_ASSIGN(seen, parse_json(event.data));
    is_reached = true;
    return FollowNext::kStop;
  };
  follower.on_life = [&]() -> Result<FollowNext> {
    const auto now_us = pace.clock.now_us();
    if (now_us - looked_at_us >= kLookAgainUs) {
      MLOPS_ASSIGN(const auto next, look());
      if (next == FollowNext::kStop) return next;
    }
    return now_us >= deadline_us ? FollowNext::kStop : FollowNext::kGoOn;
  };
  follower.on_break = [&](const Error& error) { session.say("the connection broke, trying again: " + error.message); };
  follower.deadline_us = deadline_us;
  const Follow what{row.types ? row.types : wanted.what,
                    {},
                    row.types ? std::string() : wanted.environment,
                    session.option("--since").value_or(""),
                    1};
  MLOPS_TRY(follow_events(session.api(), what, follower, pace));
  if (!is_reached) return timed_out(wanted, timeout_s);
  const Json answer = seen.is_null() ? Json{{"for", wanted.word}, {"what", wanted.what}, {"reached", true}} : seen;
  session.print_value(
      answer,
      [&] { session.print_line(session.paint(Tone::kGood, "✔") + fmt::format(" {}: {}", wanted.what, wanted.word)); },
      [&] { return wanted.what; });
  return kExitDone;
}

}  // namespace

const Command kWaitCommand{
    .path = "wait",
    .group = "Daily work",
    .summary = "wait until something has come to be",
    .operands = {{.name = "WHAT", .help = "plan/ID, a version, or a kind of event", .required = false}},
    .options = {{.name = "--for",
                 .value_name = "CONDITION",
                 .help = "approved, executed, deployed, event; or plan/ID=executed"},
                {.name = "--env",
                 .value_name = "ENV",
                 .help = "where, for deployed and event",
                 .complete = Complete::kEnvironment},
                {.name = "--since", .value_name = "SEQ|TIME", .help = "events from there on count too"},
                {.name = "--timeout", .value_name = "TIME", .help = "longest wait, e.g. 10m, 2h (default 1h)"}},
    .shared = kOutput,
    .description =
        R"(The server tells when something changed; nothing is polled. Exit code 0 when it has come to be (also when it had
before), 3 when it no longer can (the plan was rejected or is stale), 7 when time is out.

Examples:
  mlopsctl wait --for=approved plan/019384a2-7b1c --timeout 2h
  mlopsctl wait --for=plan/019384a2-7b1c=executed
  mlopsctl wait --for=deployed hospital/readmission@v3 --env prod
  mlopsctl wait --for=event release.promote --env prod)",
    .run = run_body<wait>};

}  // namespace mlops::cli
