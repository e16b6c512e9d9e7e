// Erasing a person: plan, approve, apply, decide, receipt.
#include <fmt/format.h>

#include "cli/cmd/erase_text.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kPath = "/api/v1/erasures";

std::string done_mark(const Session& session) {
  return session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                           : session.paint(Tone::kGood, "✔") + " ";
}

void print_erasure(Session& session, const Json& erasure, const std::string& headline) {
  session.print_value(
      erasure,
      [&] {
        if (!headline.empty()) session.print_line(done_mark(session) + headline);
        print_lines(session, erasure_lines(erasure, style_of(session)));
      },
      [&] { return text_of(erasure, "id"); });
}

// One id a line, blank lines aside. Nothing of it is printed, whatever goes wrong.
Result<std::vector<std::string>> read_ids(Session& session) {
  const auto file = session.option("--subject-file");
  const auto word = session.operand(0);
  if (file.has_value() == !word.empty()) {
    return usage_error("whom? Give the id on standard input or in a file",
                       "mlopsctl erase plan --subject-file - --reason \"…\"");
  }
  if (!word.empty()) {
    session.warn(
        "an id on the command line stays in the shell's history and is seen by others: --subject-file - "
        "reads it from standard input");
    return std::vector<std::string>{word};
  }
  MLOPS_ASSIGN(const auto named, read_named_text(*file));
  std::vector<std::string> ids;
  for (const auto line : split(named.text, '\n')) {
    if (!trim(line).empty()) ids.emplace_back(trim(line));
  }
  if (ids.empty()) return usage_error("there is no id in it", "one a line, all of the same person");
  return ids;
}

Result<int> erase_plan(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("an erasure needs a reason", "add --reason \"request 2026-17\"");
  MLOPS_ASSIGN(const auto ids, read_ids(session));
  Json body = {{"subject", ids}, {"reason", reason}, {"shred", session.flag("--shred")}};
  if (const auto name_space = session.option("--namespace")) body["namespace"] = *name_space;
  MLOPS_ASSIGN(const auto erasure, session.api().post(std::string(kPath), body));
  print_erasure(session, erasure, "the person was found; nothing was changed yet");
  return kExitDone;
}

Result<int> say(Session& session, std::string_view verb, std::string_view said) {
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) {
    return usage_error(fmt::format("{} needs --reason", verb), "it is signed with the plan's digest");
  }
  MLOPS_ASSIGN(const auto erasure,
               session.api().post(item_path("erasures", session.operand(0), "/" + std::string(verb)),
                                  with_dry_run(session, {{"reason", reason}})));
  print_erasure(session, erasure, std::string(said));
  return kExitDone;
}

Result<int> erase_approve(Session& session) {
  return say(session, "approve", "approved");
}
Result<int> erase_reject(Session& session) {
  return say(session, "reject", "rejected");
}

Result<int> erase_apply(Session& session) {
  if (!session.dry_run() && !session.flag("--yes")) {
    return fail(ErrorCode::kInvalid, "confirm_needed", "erasing cannot be undone",
                "look with mlopsctl erase status; if you mean it, add --yes");
  }
  MLOPS_ASSIGN(const auto erasure, session.api().post(item_path("erasures", session.operand(0), "/apply"),
                                                      with_dry_run(session, Json::object())));
  print_erasure(session, erasure, session.dry_run() ? "it could be applied now" : "erased");
  return kExitDone;
}

Result<int> erase_status(Session& session) {
  MLOPS_ASSIGN(const auto erasure, session.api().get(item_path("erasures", session.operand(0))));
  print_erasure(session, erasure, {});
  return kExitDone;
}

Result<int> erase_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query(std::string(kPath)), kNoLimit));
  const std::vector<Column> columns = {
      {"ERASURE", [](const Json& e) { return text_of(e, "id"); }},
      {"STATE", [](const Json& e) { return text_of(e, "state"); }},
      {"VERSIONS", [](const Json& e) { return std::to_string(array_of(e, "steps").size()); }, false, true},
      {"APPROVALS",
       [](const Json& e) {
         return fmt::format("{}/{}", int_of(e, "approvals_counted"), int_of(e, "approvals_needed"));
       }},
      {"ASKED", [&session](const Json& e) { return show_time(session, text_of(e, "requested_at")); }},
      {"BY", [](const Json& e) { return text_of(e, "requested_by"); }},
      {"REASON", [](const Json& e) { return text_of(e, "reason"); }},
      {"DONE", [&session](const Json& e) { return show_time(session, text_of(e, "finished_at")); }, true},
      {"NEXT", next_step_of_erasure, true}};
  session.print_list(
      items, columns, [](const Json& e) { return text_of(e, "id"); }, "nobody was ever to be erased");
  return kExitDone;
}

Result<int> erase_receipt(Session& session) {
  MLOPS_ASSIGN(const auto answer, session.api().get(item_path("erasures", session.operand(0), "/receipt")));
  session.print_value(
      answer, [&] { print_lines(session, receipt_lines(answer, style_of(session))); },
      [&] { return text_of(answer, "digest"); });
  return bool_of(answer, "sound") ? kExitDone : kExitIntegrity;
}

Result<int> erase_decide(Session& session) {
  Json body = {{"ref", session.operand(0)}};
  int given = 0;
  const std::pair<const char*, const char*> kinds[] = {
      {"--retrained-as", "retrained"}, {"--assessed", "assessed"}, {"--accept", "accepted"}};
  for (const auto& [option, kind] : kinds) {
    const auto value = session.option(option);
    if (!value) continue;
    ++given;
    body["kind"] = kind;
    body["detail"] = *value;
  }
  if (given != 1) {
    return usage_error("say one thing: --retrained-as REF, --assessed DIGEST or --accept REASON",
                       "mlopsctl erase decide hospital/readmission@v3 --retrained-as hospital/readmission@v4");
  }
  MLOPS_ASSIGN(const auto answer, session.api().post("/api/v1/erasure-decisions", with_dry_run(session, body)));
  session.print_value(
      answer,
      [&] {
        for (const auto& item : array_of(answer, "items")) {
          session.print_line(done_mark(session) + fmt::format("{}: {} (erasure {})", text_of(item, "ref"),
                                                              text_of(item, "state"), text_of(item, "erasure")));
        }
      },
      [&] { return session.operand(0); });
  return kExitDone;
}

Result<int> erase_index(Session& session) {
  MLOPS_ASSIGN(const auto indexed, session.api().post("/api/v1/subject-index", {{"ref", session.operand(0)}}));
  session.print_value(
      indexed,
      [&] {
        session.print_line(fmt::format("{} {}: {} by {}", session.paint(Tone::kGood, "✔"), text_of(indexed, "ref"),
                                       counted(int_of(indexed, "subjects"), "id", "ids"),
                                       join(strings_of(indexed, "columns"), ", ")));
      },
      [&] { return text_of(indexed, "ref"); });
  return kExitDone;
}

const Operand kErasure{.name = "ERASURE", .help = "its id, or a unique beginning of id or digest"};
const Option kReason{.name = "--reason", .value_name = "TEXT", .help = "why; never with the person's id in it"};
constexpr std::string_view kGroup = "Erasure";

}  // namespace

const Command kErasePlanCommand{
    .path = "erase plan",
    .group = kGroup,
    .summary = "find one person everywhere, and plan what each version needs",
    .operands = {{.name = "SUBJECT", .help = "the id; better: --subject-file", .required = false}},
    .options = {{.name = "--subject-file",
                 .value_name = "FILE",
                 .help = "one id a line, all of one person; - is standard input",
                 .complete = Complete::kFile},
                {.name = "--namespace", .value_name = "NAME", .help = "whose ids they are (default: subject)"},
                {.name = "--shred", .help = "datasets go whole, instead of being rewritten without the person"},
                kReason},
    .shared = kOutput,
    .description =
        R"(Looks through every dataset with a subject key (mlopsctl subject-key set) by keyed fingerprints, follows masking and
lineage to models and what runs, and lists what each version needs: rewrite, remask, shred, decide, keep (a hold).
Nothing is changed. The id is not stored, logged or shown.

Exit code 5: nobody of that id is here.

Examples:
  mlopsctl erase plan --subject-file request.txt --reason "letter of 2026-11-20"
  printf %s "$ID" | mlopsctl erase plan --subject-file - --namespace mrn --reason "ticket 4711")",
    .run = run_body<erase_plan>};

const Command kEraseListCommand{.path = "erase list",
                                .group = kGroup,
                                .summary = "list erasures",
                                .shared = kOutput,
                                .description = R"(Example:
  mlopsctl erase list -o wide)",
                                .run = run_body<erase_list>};

const Command kEraseStatusCommand{.path = "erase status",
                                  .group = kGroup,
                                  .summary = "show an erasure: plan, approvals, what became of each version",
                                  .operands = {kErasure},
                                  .shared = kOutput,
                                  .description = R"(Example:
  mlopsctl erase status 019384a2-7b1c-7e02)",
                                  .run = run_body<erase_status>};

const Command kEraseApproveCommand{.path = "erase approve",
                                   .group = kGroup,
                                   .summary = "approve an erasure that somebody else asked for",
                                   .operands = {kErasure},
                                   .options = {kReason},
                                   .shared = kOutput | kDryRun,
                                   .description = R"(Example:
  mlopsctl erase approve 019384a2-7b1c-7e02 --reason "identity was checked")",
                                   .run = run_body<erase_approve>};

const Command kEraseRejectCommand{.path = "erase reject",
                                  .group = kGroup,
                                  .summary = "reject an erasure that somebody else asked for",
                                  .operands = {kErasure},
                                  .options = {kReason},
                                  .shared = kOutput | kDryRun,
                                  .description = R"(Example:
  mlopsctl erase reject 019384a2-7b1c-7e02 --reason "a court wants the data")",
                                  .run = run_body<erase_reject>};

const Command kEraseApplyCommand{
    .path = "erase apply",
    .group = kGroup,
    .summary = "erase, once enough people approved; or go on with it",
    .operands = {kErasure},
    .options = {{.name = "--yes", .help = "it is meant: this cannot be undone"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Searches again; when anything differs from the plan, the plan is stale. Then each dataset is replaced by a version without
the person, masked copies are masked again, old versions become tombstones, and their bytes go at once: nothing of it is in
the trash, and earlier collections cannot be undone any more. Pushes going on meanwhile may have to be repeated. Models that
were made with the person are not promoted any more until `erase decide`.

An application that was cut off goes on with the same command. Exit code 3: approvals are missing, or the plan has expired; 6: it is stale.

Example:
  mlopsctl erase apply 019384a2-7b1c-7e02 --yes)",
    .run = run_body<erase_apply>};

const Command kEraseDecideCommand{
    .path = "erase decide",
    .group = kGroup,
    .summary = "decide about a model that was made with an erased person",
    .operands = {{.name = "REF", .help = "the model, or a dataset made from one", .complete = Complete::kReference}},
    .options = {{.name = "--retrained-as",
                 .value_name = "REF",
                 .help = "this version replaces it; nothing it was made from is touched",
                 .complete = Complete::kReference},
                {.name = "--assessed", .value_name = "DIGEST", .help = "sha256:… of the assessment that clears it"},
                {.name = "--accept", .value_name = "REASON", .help = "it stays as it is, for this reason"}},
    .shared = kOutput | kDryRun,
    .description = R"(Until then no environment takes it. A replaced one is never promoted again.

Examples:
  mlopsctl erase decide hospital/readmission@v3 --retrained-as hospital/readmission@v4
  mlopsctl erase decide hospital/readmission@v3 --assessed sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08)",
    .run = run_body<erase_decide>};

const Command kEraseReceiptCommand{
    .path = "erase receipt",
    .group = kGroup,
    .summary = "show the receipt of an erasure, and check its seal",
    .operands = {kErasure},
    .shared = kOutput,
    .description =
        R"(Its digest stands in the audit log (action erasure.done). Exit code 8: it is not what the server sealed.

Example:
  mlopsctl erase receipt 019384a2-7b1c-7e02 -o json)",
    .run = run_body<erase_receipt>};

const Command kEraseIndexCommand{
    .path = "erase index",
    .group = kGroup,
    .summary = "build a version's index of people anew",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .shared = kOutput,
    .description = R"(Not needed: a plan builds what is missing. Built before, it makes the plan fast.

Example:
  mlopsctl erase index hospital/patients@v3)",
    .run = run_body<erase_index>};

}  // namespace mlops::cli
