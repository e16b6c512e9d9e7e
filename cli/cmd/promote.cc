#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_flow.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rollout_flow.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/signing.h"
#include "core/base/text.h"
#include "core/model/reference.h"
#include "core/model/selector.h"

namespace mlops::cli {
namespace {

// With REF or --to beside --plan, what the person names must be what the plan does.
Status check_plan_matches(Session& session, const std::string& plan_id, const std::string& ref,
                          const std::string& environment) {
  if (ref.empty() && environment.empty()) return {};
  MLOPS_ASSIGN(const Json plan, session.api().get(item_path("plans", plan_id)));
  if (!environment.empty() && text_of(plan, "environment") != environment) {
    return fail(ErrorCode::kConflict, "plan_differs",
                fmt::format("plan {} is for {}, not for {}", plan_id, text_of(plan, "environment"), environment));
  }
  if (ref.empty()) return {};
  MLOPS_ASSIGN(const Json version, session.api().get(item_path("versions", ref)));
  for (const auto& item : array_of(member(plan, "release"), "members")) {
    if (text_of(item, "digest") == text_of(version, "digest")) return {};
  }
  // A dataset that the plan masks is not among its members; its masked copy will be.
  if (text_of(member(plan, "masking"), "source") == text_of(version, "ref")) return {};
  return fail(ErrorCode::kConflict, "plan_differs",
              fmt::format("plan {} does not promote {}", plan_id, text_of(version, "ref")),
              "mlopsctl plans " + plan_id + " shows what it does");
}

Result<Json> promotion_body(Session& session) {
  const auto ref = session.operand(0);
  const auto environment = session.option("--to").value_or("");
  const auto plan_id = session.option("--plan").value_or("");
  if (!plan_id.empty()) {
    const bool says_more = !session.option_all("--with").empty() || session.option("--reason") ||
                           session.flag("--break-glass") || session.flag("--even-rejected") ||
                           session.option("--idempotency-key");
    if (says_more) {
      return usage_error("--plan says it all: what moves, how and why was fixed when it was made",
                         "mlopsctl promote --plan " + printable(plan_id));
    }
    MLOPS_TRY(check_plan_matches(session, plan_id, ref, environment));
    return Json{{"plan", plan_id}};
  }
  if (ref.empty() || environment.empty()) {
    return usage_error("promote needs REF and --to ENV, or --plan ID", "mlopsctl promote name@v3 --to prod");
  }
  return plan_request(session, ref, environment);
}

Result<int> promote(Session& session) {
  MLOPS_ASSIGN(const auto wait, wait_options(session));
  if (model::is_selector(session.option("--to").value_or(""))) return run_rollout(session, wait, real_pace());
  for (const auto* word : {"--wave", "--waves", "--pause"}) {
    if (session.option(word)) return usage_error(fmt::format("{} needs --to with a selector", word), "--to 'prod/*'");
  }
  if (session.flag("--rollback-on-failure")) return usage_error("--rollback-on-failure needs --to with a selector");
  MLOPS_ASSIGN(auto body, promotion_body(session));
  return run_release(session, {"/api/v1/promotions", with_dry_run(session, std::move(body))}, wait, real_pace());
}

// "v3", "3" or "name@v3" → "v3".
Result<std::string> version_word(const std::string& text, const std::string& name) {
  const bool is_release = model::is_release_reference(name);
  std::string word = text;
  if (word.starts_with(name + "@")) word.erase(0, name.size() + 1);
  if (word.starts_with(is_release ? "r" : "v")) word.erase(0, 1);
  const auto number = parse_int(word);
  if (!number || *number < 1) {
    return usage_error("--to takes a number of the same name",
                       is_release ? "for example --to r2" : "for example --to v3");
  }
  return fmt::format("{}{}", is_release ? "r" : "v", *number);
}

Result<int> rollback(Session& session) {
  const auto name = session.operand(0);
  const auto environment = session.option("--env").value_or("");
  const auto reason = session.option("--reason").value_or("");
  if (environment.empty())
    return usage_error("which environment? --env names it", "mlopsctl rollback NAME --env prod --reason \"…\"");
  if (reason.empty())
    return usage_error("a rollback needs --reason", "say what went wrong; it goes into the audit log");
  MLOPS_ASSIGN(const auto wait, wait_options(session));
  Json body = {{"name", name}, {"environment", environment}, {"reason", reason}};
  if (const auto overrides = session.option_all("--override"); !overrides.empty()) body["overrides"] = overrides;
  if (const auto key = session.option("--idempotency-key")) body["idempotency_key"] = *key;
  if (const auto to = session.option("--to")) {
    MLOPS_ASSIGN(body["to"], version_word(*to, name));
  }
  return run_release(session, {"/api/v1/rollbacks", with_dry_run(session, std::move(body))}, wait, real_pace());
}

// What a decision led to, in one sentence.
std::string decision_line(const Json& plan, std::string_view decided, const Style& style) {
  const auto what = fmt::format("plan {}: {} {} to {}", text_of(plan, "id"), text_of(plan, "kind"),
                                deployment_refs(member(plan, "release")), text_of(plan, "environment"));
  return style.paint(decided == "approved" ? Tone::kGood : Tone::kWarn, decided == "approved" ? "✔" : "✘") + " " +
         std::string(decided) + " " + what;
}

Result<int> decide(Session& session, const std::string& verb, std::string_view decided) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error(fmt::format("{} needs --reason", verb), "it is signed with the plan's digest");
  Json body = {{"reason", reason}};
  if (verb != "withdraw") {
    if (const auto meaning = session.option("--meaning")) body["meaning"] = *meaning;
    MLOPS_ASSIGN(const auto signer, find_signer(session));
    if (signer) {
      MLOPS_ASSIGN(body, sign_decision(session, *signer, verb, std::move(body)));
    }
  }
  MLOPS_ASSIGN(const Json plan, session.api().post(item_path("plans", session.operand(0), "/" + verb),
                                                   with_dry_run(session, std::move(body))));
  session.print_value(
      plan,
      [&] {
        const auto style = style_of(session);
        session.print_line(decision_line(plan, decided, style));
        KeyValues rows;
        rows.add("digest", text_of(plan, "digest"));
        rows.add("approvals", fmt::format("{} of {}", approvals_given(plan), int_of(plan, "approvals_needed")));
        rows.add("verdict", text_of(plan, "verdict"));
        if (!session.dry_run()) rows.add("next", next_step_of(plan), Tone::kBold);
        print_lines(session, rows.lines(style, 2));
        if (session.dry_run()) session.print_line(style.paint(Tone::kWarn, "dry run: nothing was recorded"));
      },
      [&] { return text_of(plan, "id"); });
  return kExitDone;
}

Result<int> approve(Session& session) {
  return decide(session, "approve", "approved");
}
Result<int> reject(Session& session) {
  return decide(session, "reject", "rejected");
}

Result<int> withdraw(Session& session) {
  return decide(session, "withdraw", "withdrew the approval of");
}

const Option kMeaning{
    .name = "--meaning", .value_name = "TEXT", .help = "what the word stands for: \"clinically reviewed\""};
const Operand kPlanOperand{
    .name = "PLAN", .help = "id, or a unique beginning of id or digest", .complete = Complete::kPlan};
const Option kWait{.name = "--wait", .help = "when only approvals are missing, wait for them and go on"};
const Option kIdempotencyKey{.name = "--idempotency-key",
                             .value_name = "KEY",
                             .help = "sent again with the same key, the request is executed once"};
const Option kTimeout{.name = "--timeout", .value_name = "TIME", .help = "longest wait, e.g. 10m, 2h (default 1h)"};

}  // namespace

const Command kPromoteCommand{
    .path = "promote",
    .group = "Daily work",
    .summary = "make an environment run a version, if every gate passes",
    .operands = {{.name = "REF",
                  .help = "the version; not needed with --plan",
                  .required = false,
                  .complete = Complete::kReference}},
    .options =
        {{.name = "--to",
          .value_name = "ENV",
          .help = "the environment; 'prod/*' or label:tenant=acme for several",
          .complete = Complete::kEnvironment},
         {.name = "--wave", .value_name = "SIZES", .help = "sizes of waves, each cumulative, e.g. 1,50%,100%"},
         {.name = "--waves", .value_name = "N", .help = "so many even waves instead"},
         {.name = "--pause", .value_name = "TIME", .help = "between waves: 10m, or manual until `rollout continue`"},
         {.name = "--rollback-on-failure", .help = "when one fails, those done before it go back"},
         {.name = "--plan", .value_name = "PLAN", .help = "execute exactly this plan", .complete = Complete::kPlan},
         {.name = "--with",
          .value_name = "REF",
          .help = "another version that moves in the same release",
          .repeated = true,
          .complete = Complete::kReference},
         {.name = "--reason", .value_name = "TEXT", .help = "why; required where the environment says so"},
         {.name = "--break-glass", .help = "pass over procedure in an emergency (role oncall); a review must follow"},
         {.name = "--even-rejected", .help = "promote again what the environment was rolled back from"},
         kIdempotencyKey,
         kWait,
         kTimeout},
    .shared = kOutput | kDryRun,
    .description =
        R"(One step when nothing stands in the way; a dataset above the environment's clearance is masked by its policy on the
way, with the evidence printed. A refusal names the gates, the path that taints, and what would pass. --break-glass passes
over approvals, order, soak, windows and freezes, never over clearance, erasure or integrity, and nothing else is promoted
there until another person has reviewed it.

With a selector it is a rollout: every environment gets its own plan with its own gates, in promotion order and in waves;
the first that fails stops the rest. It runs on the server and is followed here.

Exit code 0 done, 3 refused or approvals missing, 6 the plan is stale, 7 the wait timed out.

Examples:
  mlopsctl promote hospital/readmission@v3 --to staging
  mlopsctl promote hospital/readmission@v3 --to prod --reason "quarterly retraining" --wait --timeout 2h
  mlopsctl promote release:hospital/readmission-stack@r2 --to prod --reason "with its thresholds"
  mlopsctl promote hospital/readmission@v4 --to prod --break-glass --reason "incident 4711"
  mlopsctl promote hospital/readmission@v3 --to 'prod/*' --wave 1,50%,100% --pause 10m
  mlopsctl promote --plan 019384a2-7b1c-7e02)",
    .run = run_body<promote>};

const Command kRollbackCommand{
    .path = "rollback",
    .group = "Daily work",
    .summary = "return an environment to the release before, or to a given one",
    .operands = {{.name = "NAME", .help = "the artifact, or release:NAME", .complete = Complete::kArtifact}},
    .options = {{.name = "--env", .value_name = "ENV", .help = "the environment", .complete = Complete::kEnvironment},
                {.name = "--to",
                 .value_name = "VERSION",
                 .help = "v3 (r3 of a named release) instead of the release before"},
                {.name = "--override",
                 .value_name = "GATE",
                 .help = "pass over this gate of today; recorded",
                 .repeated = true},
                kIdempotencyKey,
                {.name = "--reason", .value_name = "TEXT", .help = "what went wrong"},
                kWait,
                kTimeout},
    .shared = kOutput | kDryRun,
    .description =
        R"(The whole release goes back as one, and today's gates are run again: what has become forbidden since is refused, unless
--override names the gate (never clearance, erasure or integrity). What was left is not promoted there again by accident. A
release that took the places of others, as a bundle does of single versions, goes back to all of them at once.

Examples:
  mlopsctl rollback hospital/readmission --env prod --reason "alerts since 14:00"
  mlopsctl rollback hospital/readmission --env prod --to v1 --reason "v2 is worse too" --dry-run)",
    .run = run_body<rollback>};

const Command kApproveCommand{
    .path = "approve",
    .group = "Daily work",
    .summary = "approve a plan that somebody else asked for",
    .operands = {kPlanOperand},
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}, kMeaning, signing_key_option()},
    .shared = kOutput | kDryRun,
    .description =
        R"(Signs the plan's digest: another version, policy or fact is another plan and needs new approvals. Who asked for the plan,
and who registered what it moves, cannot approve it. With a signing key (`key add`) the words shown are signed with it.

Example:
  mlopsctl approve 019384a2-7b1c-7e02 --reason "metrics and masking evidence reviewed" --meaning "clinically safe")",
    .run = run_body<approve>};

const Command kWithdrawCommand{.path = "withdraw",
                               .group = "Daily work",
                               .summary = "withdraw one's own approval of an open plan",
                               .operands = {kPlanOperand},
                               .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}},
                               .shared = kOutput | kDryRun,
                               .description = R"(Example:
  mlopsctl withdraw 019384a2-7b1c-7e02 --reason "the evaluation set was wrong")",
                               .run = run_body<withdraw>};

const Command kRejectCommand{
    .path = "reject",
    .group = "Daily work",
    .summary = "reject a plan for good",
    .operands = {kPlanOperand},
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}, kMeaning, signing_key_option()},
    .shared = kOutput | kDryRun,
    .description = R"(Example:
  mlopsctl reject 019384a2-7b1c-7e02 --reason "no evaluation on patients under 18")",
    .run = run_body<reject>};

}  // namespace mlops::cli
