// Decisions under other rules: policy eval, policy replay; and decisions proved: decision show, decision verify.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/gate_text.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

Result<int> policy_eval(Session& session) {
  const auto environment = session.option("--to").value_or("");
  if (environment.empty())
    return usage_error("where to? --to names the environment", "mlopsctl policy eval FILE REF --to prod");
  MLOPS_ASSIGN(auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN([[maybe_unused]] const auto parsed, model::parse_version_reference(session.operand(1)));
  MLOPS_ASSIGN(const Json plan,
               session.api().post("/api/v1/decisions/eval", {{"yaml", std::move(file.text)},
                                                             {"origin", file.origin},
                                                             {"ref", session.operand(1)},
                                                             {"with", session.option_all("--with")},
                                                             {"environment", environment},
                                                             {"reason", session.option("--reason").value_or("")}}));
  session.print_value(
      plan,
      [&] {
        const auto style = style_of(session);
        const auto verdict = text_of(plan, "verdict");
        const auto mark = verdict_mark(verdict);
        session.print_line(
            style.paint(mark.tone, mark.mark + " " + verdict) +
            fmt::format("  {} → {}, if the policy of {} were applied", session.operand(1), environment, file.origin));
        print_lines(session, gate_lines(array_of(plan, "gates"), style, GateDetail::kAll));
        print_lines(session, shadow_lines(array_of(plan, "shadow"), style));
        session.say("nothing was changed");
      },
      [&] { return text_of(plan, "verdict"); });
  return text_of(plan, "verdict") == "pass" ? kExitDone : kExitRefused;
}

void print_flip(Session& session, const Json& flip, const Style& style) {
  const auto after = text_of(flip, "after");
  const auto mark = verdict_mark(after);
  session.print_line(style.paint(mark.tone, mark.mark) +
                     fmt::format(" {} {} → {}, {} of {}: {} becomes {}{}", short_id(text_of(flip, "plan")),
                                 text_of(flip, "target"), text_of(flip, "environment"), text_of(flip, "occasion"),
                                 show_time(session, text_of(flip, "decided_at")), text_of(flip, "before"), after,
                                 bool_of(flip, "runs_now") ? style.paint(Tone::kWarn, "  (runs now)") : ""));
  for (const auto& gate : array_of(flip, "gates")) {
    session.print_line(fmt::format("    {}: {}", text_of(gate, "id"), text_of(gate, "reason")));
  }
}

Result<int> policy_replay(Session& session) {
  MLOPS_ASSIGN(auto file, read_named_text(session.operand(0)));
  MLOPS_ASSIGN(const Json replay,
               session.api().post("/api/v1/decisions/replay", {{"yaml", std::move(file.text)},
                                                               {"origin", file.origin},
                                                               {"environment", session.option("--env").value_or("")},
                                                               {"since", session.option("--since").value_or("")},
                                                               {"everywhere", session.flag("--everywhere")}}));
  const auto& flips = array_of(replay, "flips");
  session.print_value(
      replay,
      [&] {
        const auto style = style_of(session);
        for (const auto& flip : flips) print_flip(session, flip, style);
        const auto governed = int_of(replay, "governed");
        session.print_line(fmt::format(
            "{} of {} governed by {}: {}", grouped(governed),
            counted(int_of(replay, "decisions"), "decision", "decisions"), text_of(replay, "policy"),
            flips.empty() ? std::string("no verdict changes")
                          : counted(static_cast<std::int64_t>(flips.size()), "verdict changes", "verdicts change")));
        if (governed == 0)
          session.say("no past decision knew a policy of that name; --everywhere tries it on all of them");
      },
      [&] { return std::to_string(flips.size()); });
  return flips.empty() ? kExitDone : kExitRefused;
}

Result<int> decision_show(Session& session) {
  MLOPS_ASSIGN(const Json record, session.api().get(item_path("plans", session.operand(0)) + "/decision"));
  const bool proved = bool_of(record, "proved");
  session.print_value(
      record,
      [&] {
        const auto style = style_of(session);
        session.print_line(fmt::format("{}  {} → {}, {}", style.paint(Tone::kBold, text_of(record, "decision")),
                                       text_of(array_of(record, "members").front(), "ref"), text_of(record, "target"),
                                       show_time(session, text_of(record, "decided_at"))));
        KeyValues rows;
        rows.add("facts", text_of(record, "facts_digest"));
        rows.add("record",
                 text_of(record, "record_digest") +
                     (proved ? "  (the same facts and policies give the same bytes)" : "  (differs now)"),
                 proved ? Tone::kGood : Tone::kBad);
        for (const auto& policy : array_of(record, "policies")) {
          rows.add("policy", text_of(policy, "name") + "  " + text_of(policy, "digest"));
        }
        print_lines(session, rows.lines(style, 2));
        print_lines(session, gate_lines(array_of(record, "gates"), style, GateDetail::kAll));
        print_lines(session, shadow_lines(array_of(record, "shadow"), style));
      },
      [&] { return text_of(record, "record_digest"); });
  return proved ? kExitDone : kExitIntegrity;
}

Result<int> decision_verify(Session& session) {
  Query query("/api/v1/decisions/verify");
  query.add("environment", session.option("--env").value_or(""));
  MLOPS_ASSIGN(const Json proof, session.api().get(query.text()));
  const auto& differing = array_of(proof, "differing");
  session.print_value(
      proof,
      [&] {
        const auto count = counted(int_of(proof, "decisions"), "decision", "decisions");
        if (differing.empty()) {
          session.print_line(style_of(session).paint(Tone::kGood, "✔") + " " + count +
                             ": the same facts under the same policies give the same bytes");
          return;
        }
        for (const auto& id : differing) session.print_line(id.get<std::string>());
        session.print_line(
            fmt::format("{}: {} come out otherwise now (a pack or a gate of this release decides differently)", count,
                        differing.size()));
      },
      [&] { return std::string(differing.empty() ? "same" : "differing"); });
  return differing.empty() ? kExitDone : kExitIntegrity;
}

}  // namespace

const Command kPolicyEvalCommand{
    .path = "policy eval",
    .group = "Environments and policies",
    .summary = "what every gate would say if a policy file were applied; changes nothing",
    .operands = {{.name = "FILE", .help = "a policy file", .complete = Complete::kFile},
                 {.name = "REF", .help = "the version to promote", .complete = Complete::kReference}},
    .options = {{.name = "--to", .value_name = "ENV", .help = "the environment", .complete = Complete::kEnvironment},
                {.name = "--with",
                 .value_name = "REF",
                 .help = "another version that moves in the same release",
                 .repeated = true,
                 .complete = Complete::kReference},
                {.name = "--reason", .value_name = "TEXT", .help = "the reason a promotion would give"}},
    .shared = kOutput,
    .description =
        R"(The file takes the place of the applied policy of its name; an environment that does not list it is tried with it.
Exit code 0 when every gate passes, 3 otherwise.

Example:
  mlopsctl policy eval model-gates.yaml hospital/readmission@v3 --to prod)",
    .run = run_body<policy_eval>};

const Command kPolicyReplayCommand{
    .path = "policy replay",
    .group = "Environments and policies",
    .summary = "run a policy file over every past decision and list what flips",
    .operands = {{.name = "FILE", .help = "a policy file", .complete = Complete::kFile}},
    .options = {{.name = "--env",
                 .value_name = "ENV",
                 .help = "only decisions about this environment",
                 .complete = Complete::kEnvironment},
                {.name = "--since", .value_name = "TIME", .help = "only decisions from this time on (RFC 3339)"},
                {.name = "--everywhere", .help = "also decisions that knew no policy of this name"}},
    .shared = kOutput,
    .description =
        R"(Every plan, promotion, rollback and refusal is decided again on the facts it was decided on, with the file in the
place of the policy of its name. A flip marked "runs now" is live today. Masking is not run again. Exit code 0 when no
verdict changes, 3 otherwise.

Example:
  mlopsctl policy replay model-gates.yaml --since 2026-01-01T00:00:00Z)",
    .run = run_body<policy_replay>};

const Command kDecisionShowCommand{
    .path = "decision show",
    .group = "Audit",
    .summary = "the decision record of a plan, proved from its stored facts",
    .operands = {{.name = "PLAN", .help = "id, or a unique beginning of id or digest", .complete = Complete::kPlan}},
    .shared = kOutput,
    .description =
        R"(Decides again on the stored facts under the policies of then and compares bytes. Exit code 8 when they differ.

Example:
  mlopsctl decision show 019384a2-7b1c-7e02 -o json > record.json)",
    .run = run_body<decision_show>};

const Command kDecisionVerifyCommand{
    .path = "decision verify",
    .group = "Audit",
    .summary = "decide every stored decision again and compare the bytes",
    .options = {{.name = "--env",
                 .value_name = "ENV",
                 .help = "only decisions about this environment",
                 .complete = Complete::kEnvironment}},
    .shared = kOutput,
    .description = R"(Exit code 8 when a decision comes out otherwise than it was recorded.

Example:
  mlopsctl decision verify)",
    .run = run_body<decision_verify>};

}  // namespace mlops::cli
