#include "cli/cmd/environment_diff.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/version_text.h"

namespace mlops::cli {
namespace {

Result<int> show(Session& session) {
  Query query(item_path("versions", session.operand(0)));
  query.add_times(session);
  MLOPS_ASSIGN(const Json version, session.api().get(query.text()));
  session.print_value(
      version, [&] { print_lines(session, version_lines(version, style_of(session))); },
      [&] { return text_of(version, "ref"); });
  return kExitDone;
}

Result<int> diff(Session& session) {
  const auto a = moment_of_environment(session.operand(0));
  const auto b = moment_of_environment(session.operand(1));
  if (a && b) return diff_environments(session, *a, *b);
  Query query("/api/v1/diff");
  query.add("a", session.operand(0)).add("b", session.operand(1));
  MLOPS_ASSIGN(const Json answer, session.api().get(query.text()));
  session.print_value(
      answer, [&] { print_lines(session, diff_lines(answer, style_of(session))); },
      [&] { return std::string(bool_of(answer, "same") ? "same" : "different"); });
  return bool_of(answer, "same") ? kExitDone : kExitRefused;
}

}  // namespace

const Command kShowCommand{
    .path = "show",
    .group = "Registry",
    .summary = "everything known about a version",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .shared = kOutput | kAsOf,
    .description = R"(Digest, files, sensitivity, what it was made from, metrics, git source, where it runs.

Examples:
  mlopsctl show hospital/readmission@v3
  mlopsctl show hospital/readmission#prod --as-of 2026-11-01 -o json)",
    .run = run_body<show>};

const Command kDiffCommand{
    .path = "diff",
    .group = "Registry",
    .summary = "compare two versions: files, metadata, lineage",
    .operands = {{.name = "A", .help = "a version", .complete = Complete::kReference},
                 {.name = "B", .help = "another version", .complete = Complete::kReference}},
    .shared = kOutput,
    .description = R"(Exit code 0 when they are the same, 3 when they differ, so that scripts can branch.

Examples:
  mlopsctl diff hospital/readmission@v2 hospital/readmission@v3
  mlopsctl diff hospital/readmission#staging hospital/readmission#prod
  mlopsctl diff prod@2026-11-01 prod@now)",
    .run = run_body<diff>};

}  // namespace mlops::cli
