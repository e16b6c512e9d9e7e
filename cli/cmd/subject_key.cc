// Which columns hold people's ids.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kPath = "/api/v1/subject-keys";
constexpr std::string_view kGroup = "Erasure";

std::string done_mark(const Session& session) {
  return session.dry_run() ? session.paint(Tone::kWarn, "…") + " dry run, nothing was changed: "
                           : session.paint(Tone::kGood, "✔") + " ";
}

Result<int> subject_key_set(Session& session) {
  Json body = {{"name", session.operand(0)}, {"column", session.operand(1)}};
  if (const auto name_space = session.option("--namespace")) body["namespace"] = *name_space;
  if (const auto masked = session.option("--pseudonyms-of")) body["pseudonyms_of"] = *masked;
  MLOPS_ASSIGN(const auto key, session.api().put(std::string(kPath), with_dry_run(session, std::move(body))));
  session.print_value(
      key,
      [&] {
        session.print_line(done_mark(session) + fmt::format("{}: the column {} holds ids of \"{}\"",
                                                            text_of(key, "name"), text_of(key, "column"),
                                                            text_of(key, "namespace")));
      },
      [&] { return text_of(key, "name"); });
  return kExitDone;
}

Result<int> subject_key_list(Session& session) {
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), Query(std::string(kPath)), kNoLimit));
  const std::vector<Column> columns = {
      {"ARTIFACT", [](const Json& k) { return text_of(k, "kind") + ":" + text_of(k, "name"); }},
      {"COLUMN", [](const Json& k) { return text_of(k, "column"); }},
      {"NAMESPACE", [](const Json& k) { return text_of(k, "namespace"); }},
      {"SET", [&session](const Json& k) { return show_time(session, text_of(k, "set_at")); }},
      {"BY", [](const Json& k) { return text_of(k, "set_by"); }}};
  session.print_list(
      items, columns, [](const Json& k) { return text_of(k, "name"); }, "no subject keys: nobody can be found");
  return kExitDone;
}

Result<int> subject_key_remove(Session& session) {
  const Json body = with_dry_run(session, {{"name", session.operand(0)}, {"column", session.operand(1)}});
  MLOPS_ASSIGN(const auto key, session.api().del(std::string(kPath), body));
  session.print_value(
      key,
      [&] {
        session.print_line(done_mark(session) + fmt::format("{}: the column {} is no subject key any more",
                                                            text_of(key, "name"), text_of(key, "column")));
      },
      [&] { return text_of(key, "name"); });
  return kExitDone;
}

const Operand kName{.name = "NAME", .help = "the dataset", .complete = Complete::kArtifact};
const Operand kColumn{.name = "COLUMN", .help = "a table's header; of JSON the pointer, or the member's name"};

}  // namespace

const Command kSubjectKeySetCommand{
    .path = "subject-key set",
    .group = kGroup,
    .summary = "say which column of a dataset holds people's ids",
    .operands = {kName, kColumn},
    .options = {{.name = "--namespace", .value_name = "NAME", .help = "whose ids they are (default: subject)"},
                {.name = "--pseudonyms-of",
                 .value_name = "NAME",
                 .help = "the column holds pseudonyms that masking wrote into this dataset",
                 .complete = Complete::kArtifact}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Holds for all versions, earlier ones too. Equal ids of one namespace are one person, in whatever dataset; case counts.
Masked copies that the server made need no key.

Examples:
  mlopsctl subject-key set hospital/patients mrn
  mlopsctl subject-key set research/train mrn --pseudonyms-of hospital/patients-deid)",
    .run = run_body<subject_key_set>};

const Command kSubjectKeyListCommand{.path = "subject-key list",
                                     .group = kGroup,
                                     .summary = "list the columns that hold people's ids",
                                     .shared = kOutput,
                                     .description = R"(Example:
  mlopsctl subject-key list)",
                                     .run = run_body<subject_key_list>};

const Command kSubjectKeyRemoveCommand{.path = "subject-key remove",
                                       .group = kGroup,
                                       .summary = "take back that a column holds people's ids",
                                       .operands = {kName, kColumn},
                                       .shared = kOutput | kDryRun,
                                       .description = R"(Example:
  mlopsctl subject-key remove hospital/patients mrn)",
                                       .run = run_body<subject_key_remove>};

}  // namespace mlops::cli
