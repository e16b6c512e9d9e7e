// profile: measuring the data that gates ask about, before a plan needs it.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"

namespace mlops::cli {
namespace {

std::string line_of(const Json& item) {
  if (const auto why = text_of(item, "failed"); !why.empty()) return why;
  const auto& result = member(item, "result");
  if (text_of(item, "kind") == "independence") {
    const auto unknown = text_of(result, "unknown_because");
    auto text = fmt::format("{} in common", counted(int_of(result, "shared_files"), "file", "files"));
    return text + (unknown.empty() ? fmt::format(", {}", counted(int_of(result, "shared_subjects"), "person", "people"))
                                   : "; " + unknown);
  }
  return fmt::format("{} in {}, {} measured", counted(int_of(result, "records"), "record", "records"),
                     counted(int_of(result, "files"), "file", "files"),
                     counted(static_cast<std::int64_t>(member(result, "counts").size()), "thing", "things"));
}

Result<int> profile(Session& session) {
  if (!session.option("--to")) {
    return usage_error("whose gates ask? name an environment", "mlopsctl profile REF --to ENV");
  }
  const Json body = {{"ref", session.operand(0)},
                     {"with", session.option_all("--with")},
                     {"environment", session.option("--to").value_or("")}};
  MLOPS_ASSIGN(const Json answer, session.api().post("/api/v1/profiles", body));
  bool all = true;
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : array_of(answer, "items")) {
    all = all && text_of(item, "failed").empty();
    rows.push_back({text_of(item, "kind"), text_of(item, "of"), line_of(item)});
  }
  session.print_value(
      answer,
      [&] {
        if (rows.empty()) {
          session.print_line("no gate there asks for a measurement of it");
        } else {
          print_lines(session, aligned({"KIND", "OF", "MEASURED"}, rows, {}, style_of(session), 0));
        }
      },
      [&] { return std::to_string(rows.size()); });
  return all ? kExitDone : kExitRefused;
}

}  // namespace

const Command kProfileCommand{
    .path = "profile",
    .group = "Registry",
    .summary = "measure the data that an environment's gates ask about",
    .operands = {{.name = "REF", .help = "the model or dataset that is to move", .complete = Complete::kReference}},
    .options = {{.name = "--to", .value_name = "ENV", .help = "whose policies ask", .complete = Complete::kEnvironment},
                {.name = "--with",
                 .value_name = "REF",
                 .help = "a further member of the release",
                 .repeated = true,
                 .complete = Complete::kReference}},
    .shared = kOutput,
    .description =
        R"(Reads the datasets once, counts what the gates `quality` and `independence` need, and keeps the counts: the same bytes are not
read again for the same questions. A plan does this by itself for datasets up to 256 MiB; larger ones are measured here.
Exit code 3 when something could not be measured.

Examples:
  mlopsctl profile hospital/readmission@v3 --to prod)",
    .run = run_body<profile>};

}  // namespace mlops::cli
