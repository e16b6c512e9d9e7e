// Garbage collection: what would go, doing it, why something stays, undoing it.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/cmd/fields.h"
#include "cli/cmd/gc_text.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/span.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultRuns = 20;

// A span of an option in seconds, nothing when it is absent.
Result<std::optional<std::int64_t>> span_option(const Session& session, std::string_view name) {
  const auto text = session.option(name);
  if (!text) return std::optional<std::int64_t>();
  MLOPS_ASSIGN(const auto seconds, parse_span_s(*text));
  return std::optional(seconds);
}

Result<Json> fetch_plan(Session& session) {
  MLOPS_ASSIGN(const auto min_age_s, span_option(session, "--min-age"));
  Query query("/api/v1/gc/plan");
  query.add("min_age_s", min_age_s ? std::to_string(*min_age_s) : std::string());
  return session.api().get(query.text());
}

void print_plan(Session& session, const Json& plan) {
  session.print_value(
      plan, [&] { print_lines(session, gc_plan_lines(plan, style_of(session))); },
      [&] { return text_of(member(plan, "dead"), "bytes"); });
}

Result<int> gc_plan(Session& session) {
  MLOPS_ASSIGN(const auto plan, fetch_plan(session));
  print_plan(session, plan);
  if (!session.wants_json() && int_of(member(plan, "dead"), "objects") > 0) {
    session.say("mlopsctl gc run sets it aside; mlopsctl gc why DIGEST|REF tells why something stays");
  }
  return kExitDone;
}

// What a person answers on a terminal. Anything but yes is no.
bool says_yes(Session& session) {
  session.say("set this aside? It can be restored for a while. Type yes:");
  std::string line;
  std::getline(std::cin, line);
  return trim(line) == "yes";
}

Result<int> gc_run(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (session.dry_run()) return gc_plan(session);
  if (trim(reason).empty())
    return usage_error("a collection needs a reason", "add --reason \"…\"; it goes into the audit log");
  MLOPS_ASSIGN(const auto min_age_s, span_option(session, "--min-age"));
  MLOPS_ASSIGN(const auto grace_s, span_option(session, "--grace"));
  if (!session.flag("--yes")) {
    if (!session.stderr_is_tty() || ::isatty(STDIN_FILENO) != 1) {
      return fail(ErrorCode::kInvalid, "confirm_needed", "a collection sets bytes aside",
                  "look with mlopsctl gc plan; if you mean it, add --yes");
    }
    MLOPS_ASSIGN(const auto plan, fetch_plan(session));
    say_lines(session, gc_plan_lines(plan, style_of(session)));
    if (!says_yes(session)) {
      session.say("nothing was done");
      return kExitRefused;
    }
  }
  Json body = {{"reason", reason}};
  if (min_age_s) body["min_age_s"] = *min_age_s;
  if (grace_s) body["grace_s"] = *grace_s;
  if (session.flag("--despite-damage")) body["despite_damage"] = true;
  if (session.flag("--all")) body["all"] = true;
  MLOPS_ASSIGN(const auto run, session.api().post("/api/v1/gc/runs", body));
  session.print_value(
      run, [&] { print_lines(session, gc_run_lines(run, style_of(session))); }, [&] { return text_of(run, "id"); });
  return kExitDone;
}

Result<int> gc_why(Session& session) {
  Query query("/api/v1/gc/why");
  query.add("target", session.operand(0));
  MLOPS_ASSIGN(const auto why, session.api().get(query.text()));
  session.print_value(
      why, [&] { print_lines(session, gc_why_lines(why, style_of(session))); },
      [&] { return text_of(why, "verdict"); });
  return kExitDone;
}

Result<int> gc_runs(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultRuns));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query("/api/v1/gc/runs"), limit));
  const std::vector<Column> columns = {
      {"RUN", [](const Json& r) { return text_of(r, "id"); }},
      {"STARTED", [&session](const Json& r) { return show_time(session, text_of(r, "started_at")); }},
      {"BY", [](const Json& r) { return text_of(r, "by"); }},
      {"OBJECTS", [](const Json& r) { return grouped(int_of(member(r, "receipt"), "objects")); }, false, true},
      {"BYTES",
       [](const Json& r) { return human_size(static_cast<std::uint64_t>(int_of(member(r, "receipt"), "bytes"))); },
       false, true},
      {"STATE", [&session](const Json& r) { return gc_run_state(r, style_of(session)); }},
      {"REASON", [](const Json& r) { return text_of(r, "reason"); }},
      {"PACKS", [](const Json& r) { return grouped(int_of(member(r, "receipt"), "packs")); }, true, true},
      {"RECEIPT", [](const Json& r) { return text_of(member(r, "receipt"), "digest"); }, true}};
  session.print_list(
      items, columns, [](const Json& r) { return text_of(r, "id"); }, "nothing was ever collected");
  return kExitDone;
}

Result<int> gc_restore(Session& session) {
  MLOPS_ASSIGN(const auto run,
               session.api().post("/api/v1/gc/restore", with_dry_run(session, {{"run", session.operand(0)}})));
  session.print_value(
      run,
      [&] {
        const auto style = style_of(session);
        session.print_line(session.dry_run()
                               ? style.paint(Tone::kWarn, "…") + " dry run, nothing was changed: it can be restored"
                               : style.paint(Tone::kGood, "✔") + " what the run set aside is back");
        if (!session.dry_run()) session.say("what nothing keeps goes again with the next collection: mlopsctl gc plan");
      },
      [&] { return text_of(run, "id"); });
  return kExitDone;
}

const Option kMinAge{.name = "--min-age",
                     .value_name = "TIME",
                     .help = "what is younger stays: 24h, 7d (default: the server's lease); 0s ignores leases too"};

}  // namespace

const Command kGcPlanCommand{
    .path = "gc plan",
    .group = "Storage",
    .summary = "what a garbage collection would remove, how much, and why",
    .options = {kMinAge},
    .shared = kOutput,
    .description =
        R"(Changes nothing. Lists what nothing needs any more (versions that were deleted, uploads that were never registered),
what is too young to go, and what only a hold, a retention rule or an open plan keeps.

Example:
  mlopsctl gc plan)",
    .run = run_body<gc_plan>};

const Command kGcRunCommand{
    .path = "gc run",
    .group = "Storage",
    .summary = "collect: what nothing needs goes to the trash",
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why; it goes into the audit log"},
                {.name = "--yes", .help = "do not ask"},
                kMinAge,
                {.name = "--grace",
                 .value_name = "TIME",
                 .help = "remove for good what earlier runs set aside longer ago (default: the server's trash_days)"},
                {.name = "--all",
                 .help = "also what is little of its pack: everything else in that pack is written again"},
                {.name = "--despite-damage", .help = "also when bytes of a version are missing"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Pushes and pulls go on meanwhile. The packs that are set aside lie in the trash, from where `gc restore` brings them
back, and are removed by later runs or by the daemon when their time is over. The receipt is in the audit log.

On a terminal the plan is shown and asked about; elsewhere --yes says it is meant. --dry-run is `gc plan`.
Exit code 3 when the answer is no, or bytes of a version are missing; 6 when another collection is going on.

Examples:
  mlopsctl gc run --reason "quarterly clean-up"
  mlopsctl gc run --reason "disk is full" --grace 1h --yes)",
    .run = run_body<gc_run>};

const Command kGcWhyCommand{
    .path = "gc why",
    .group = "Storage",
    .summary = "the path that keeps an object, or that nothing does",
    .operands = {{.name = "TARGET",
                  .help = "the digest of anything stored (file, chunk, node, manifest), or a version",
                  .complete = Complete::kReference}},
    .shared = kOutput,
    .description =
        R"(Goes from a version that needs its bytes down to the object: version → manifest → file → node → chunk. Exit code 0 also
when nothing keeps it, 5 when no such object is stored and no version names it.

Examples:
  mlopsctl gc why sha256:4f1d…
  mlopsctl gc why hospital/readmission@v2 -o json)",
    .run = run_body<gc_why>};

const Command kGcRunsCommand{
    .path = "gc runs",
    .group = "Storage",
    .summary = "list collections, and which can be undone",
    .options = {{.name = "--limit", .value_name = "N", .help = "the newest N (default 20; 0: all)"}},
    .shared = kOutput,
    .description = R"(Example:
  mlopsctl gc runs)",
    .run = run_body<gc_runs>};

const Command kGcRestoreCommand{
    .path = "gc restore",
    .group = "Storage",
    .summary = "undo a collection whose bytes are still in the trash",
    .operands = {{.name = "RUN", .help = "its id, or a unique beginning of at least 8 characters"}},
    .shared = kOutput | kDryRun,
    .description = R"(Example:
  mlopsctl gc restore 019384a2-7b1c-7e02)",
    .run = run_body<gc_restore>};

}  // namespace mlops::cli
