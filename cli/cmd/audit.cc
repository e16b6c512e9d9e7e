#include <fmt/format.h>

#include <cstdlib>

#include "cli/cmd/fields.h"
#include "cli/cmd/gate_text.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/clock.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultEntries = 100;

// A bound of the window; the end may lie in the future, which bounds nothing.
Result<std::string> time_option(const Session& session, std::string_view name) {
  const auto text = session.option(name);
  if (!text) return std::string();
  const auto time_us = parse_as_of(*text, SystemClock().now_us());
  if (!time_us && time_us.error().slug == "future_time" && name == "--until") return std::string();
  if (!time_us) return fail(time_us.error());
  return format_rfc3339(*time_us);
}

std::vector<Column> entry_columns(const Session& session) {
  return {{"SEQ", [](const Json& e) { return text_of(e, "seq"); }, false, true},
          {"AT", [&session](const Json& e) { return show_time(session, text_of(e, "at")); }},
          {"WHO", [](const Json& e) { return text_of(e, "actor"); }},
          {"ACTION", [](const Json& e) { return text_of(e, "action"); }},
          {"TARGET", [](const Json& e) { return text_of(e, "target"); }},
          {"REASON", [](const Json& e) { return text_of(e, "reason"); }},
          {"FROM", [](const Json& e) { return text_of(e, "source_ip"); }, true},
          {"REQUEST", [](const Json& e) { return text_of(e, "request_id"); }, true},
          {"POLICY", [](const Json& e) { return short_digest(text_of(e, "policy_digest")); }, true},
          {"ROWS", [](const Json& e) { return std::to_string(array_of(e, "changes").size()); }, true, true},
          {"HASH", [](const Json& e) { return text_of(e, "hash").substr(0, 16); }, true}};
}

Result<int> audit_log(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultEntries));
  MLOPS_ASSIGN(const auto since, time_option(session, "--since"));
  MLOPS_ASSIGN(const auto until, time_option(session, "--until"));
  Query query("/api/v1/audit");
  for (const std::string key : {"actor", "action", "target"}) query.add(key, session.option("--" + key).value_or(""));
  query.add("since", since).add("until", until);
  MLOPS_ASSIGN(const auto items, fetch_tail(session.api(), query, limit));
  session.print_list(
      items, entry_columns(session), [](const Json& e) { return text_of(e, "seq"); }, "no entry matches");
  if (limit != kNoLimit && items.size() == limit) session.say(fmt::format("the newest {}; --limit 0 shows all", limit));
  return kExitDone;
}

// What is broken goes before the error, which decides the exit code (8).
int broken(Session& session, const Error& error) {
  const auto facts = facts_of(error);
  if (!session.wants_json()) {
    if (facts.contains("seq")) {
      session.print_line(session.paint(Tone::kBad, "✘") +
                         fmt::format(" entry {}: {}", text_of(facts, "seq"), text_of(facts, "problem")));
    }
    for (const auto& problem : array_of(facts, "problems")) {
      session.print_line(session.paint(Tone::kBad, "✘") +
                         fmt::format(" {}: {}", text_of(problem, "object"), text_of(problem, "problem")));
    }
  }
  return session.fail(error);
}

Result<int> audit_verify(Session& session) {
  const auto answer = session.api().get("/api/v1/audit/verify");
  if (!answer) return broken(session, answer.error());
  session.print_value(
      *answer,
      [&] {
        session.print_line(session.paint(Tone::kGood, "✔") +
                           fmt::format(" {}: the chain is whole, {} of state agree with it",
                                       counted(int_of(*answer, "entries"), "entry", "entries"),
                                       counted(int_of(*answer, "rows"), "row", "rows")));
        KeyValues rows;
        rows.add("head", text_of(*answer, "head"));
        print_lines(session, rows.lines(style_of(session), 2));
      },
      [&] { return text_of(*answer, "head"); });
  return kExitDone;
}

// "5%" → "0.05", as the server takes it.
Result<std::string> sample_option(const Session& session) {
  const auto text = session.option("--sample");
  if (!text) return std::string();
  const auto digits = text->ends_with('%') ? text->substr(0, text->size() - 1) : std::string();
  char* end = nullptr;
  const double percent = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end != '\0' || !(percent > 0.0 && percent <= 100.0)) {
    return usage_error("--sample takes a share above 0 % up to 100 %", "for example --sample 5%");
  }
  return fmt::format("{:.6f}", percent / 100.0);
}

std::string checked_text(const Json& report) {
  if (!bool_of(report, "read_data")) return "all there";
  const auto read = human_size(static_cast<std::uint64_t>(int_of(report, "read_bytes")));
  const auto& sample = member(report, "sample");
  if (!sample.is_number() || sample.get<double>() >= 1.0)
    return fmt::format("all there, every byte verified ({} read)", read);
  return fmt::format("all there, {} verified ({} read)", counted(int_of(report, "read_objects"), "object", "objects"),
                     read);
}

Result<int> fsck(Session& session) {
  MLOPS_ASSIGN(const auto sample, sample_option(session));
  Query query("/api/v1/fsck");
  query.add("read_data", session.flag("--read-data") ? "1" : "").add("sample", sample);
  const auto answer = session.api().get(query.text());
  if (!answer) return broken(session, answer.error());
  session.print_value(
      *answer,
      [&] {
        session.print_line(
            session.paint(Tone::kGood, "✔") +
            fmt::format(" {} in {}, {} of {}: {}", counted(int_of(*answer, "objects"), "object", "objects"),
                        counted(int_of(*answer, "packs"), "pack", "packs"),
                        human_size(static_cast<std::uint64_t>(int_of(*answer, "bytes"))),
                        counted(int_of(*answer, "versions"), "version", "versions"), checked_text(*answer)));
        if (!bool_of(*answer, "read_data")) session.say("--read-data also reads and hashes every byte");
      },
      [] { return std::string("ok"); });
  return kExitDone;
}

}  // namespace

const Command kAuditLogCommand{
    .path = "audit log",
    .group = "Audit",
    .summary = "who did what, when, from where and why",
    .options = {{.name = "--actor", .value_name = "WHO", .help = "only by this person or service"},
                {.name = "--action", .value_name = "ACTION", .help = "only this action, e.g. release.promote"},
                {.name = "--target", .value_name = "TARGET", .help = "only on this"},
                {.name = "--since",
                 .value_name = "TIME",
                 .help = "from this time on (as --as-of: a date, \"2h ago\" …)"},
                {.name = "--until", .value_name = "TIME", .help = "before this time"},
                {.name = "--limit", .value_name = "N", .help = "the newest N that match (default 100; 0: all)"}},
    .shared = kOutput,
    .description =
        R"(Oldest first. Each entry is chained to the one before by its hash; `audit verify` recomputes the chain.

Examples:
  mlopsctl audit log --action release.promote --since 2026-11-01
  mlopsctl audit log --actor alice --since "7 days ago" -o wide)",
    .run = run_body<audit_log>};

const Command kAuditVerifyCommand{
    .path = "audit verify",
    .group = "Audit",
    .summary = "recompute the hash chain and compare it with the state",
    .shared = kOutput,
    .description =
        R"(Exit code 8 when an entry or a row of state does not fit, naming the first. Keep the head it prints somewhere else: it
proves later that nothing before it was rewritten.

Example:
  mlopsctl audit verify)",
    .run = run_body<audit_verify>};

const Command kFsckCommand{
    .path = "fsck",
    .group = "Audit",
    .summary = "check that every version's bytes are in the store",
    .options = {{.name = "--read-data", .help = "read and hash every byte (slow)"},
                {.name = "--sample", .value_name = "SHARE", .help = "read and hash so many of the objects, e.g. 5%"}},
    .shared = kOutput,
    .description =
        R"(Exit code 8 when something is missing or differs, naming each object. What is found damaged is set aside: it is never
served nor relied on, and registering the same bytes again heals it. Each --sample chooses other objects.

Examples:
  mlopsctl fsck --read-data
  mlopsctl fsck --sample 5%)",
    .run = run_body<fsck>};

}  // namespace mlops::cli
