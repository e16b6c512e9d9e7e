#include "cli/cmd/fields.h"
#include "cli/cmd/lineage_text.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

struct FormatRow {
  std::string_view word;
  Lines (*lines)(const Json&);
};
constexpr FormatRow kGraphFormats[] = {{"dot", lineage_dot}, {"mermaid", lineage_mermaid}};

Result<std::string> depth_of(const Session& session) {
  const auto text = session.option("--depth");
  if (!text) return std::string();
  const auto depth = parse_int(*text);
  if (!depth || *depth < 1 || *depth > 100)
    return usage_error("--depth takes a number from 1 to 100", "for example --depth 2");
  return *text;
}

Result<int> lineage(Session& session) {
  const bool is_down = session.flag("--down");
  if (is_down && session.flag("--up"))
    return usage_error("--up or --down, one of them", "--up shows causes, --down effects");
  MLOPS_ASSIGN(const auto depth, depth_of(session));
  Query query("/api/v1/lineage");
  query.add("ref", session.operand(0)).add("direction", is_down ? "down" : "up").add("depth", depth);
  query.add_times(session);
  MLOPS_ASSIGN(const Json graph, session.api().get(query.text()));
  const auto format = session.option("--format").value_or(session.option("--output").value_or(""));
  for (const auto& row : kGraphFormats) {
    if (row.word != format) continue;
    print_lines(session, row.lines(graph));
    return kExitDone;
  }
  if (format == "name") {
    for (const auto& node : array_of(graph, "nodes")) session.print_line(text_of(node, "label"));
    return kExitDone;
  }
  session.print_value(
      graph, [&] { print_lines(session, lineage_tree(graph, style_of(session))); },
      [&] { return text_of(graph, "root"); });
  return kExitDone;
}

}  // namespace

const Command kLineageCommand{
    .path = "lineage",
    .group = "Daily work",
    .summary = "where a version comes from, or what it led to",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .options = {{.name = "--up", .help = "causes: data, masking runs, git commits (default)"},
                {.name = "--down", .help = "effects: models, releases, deployments"},
                {.name = "--depth", .value_name = "N", .help = "at most so many steps"},
                {.name = "--format",
                 .value_name = "FORMAT",
                 .help = "the same as -o",
                 .complete = Complete::kChoice,
                 .choices = {"tree", "dot", "mermaid"}},
                {.name = "-o,--output",
                 .value_name = "FORMAT",
                 .help = "tree, dot, mermaid, json, yaml or name",
                 .complete = Complete::kChoice,
                 .choices = {"tree", "dot", "mermaid", "table", "wide", "json", "yaml", "name"}}},
    .shared = kOutput | kAsOf,
    .description = R"(Examples:
  mlopsctl lineage hospital/readmission@v3 --up
  mlopsctl lineage hospital/patients@v1 --down --depth 2
  mlopsctl lineage hospital/readmission#prod -o dot | dot -Tsvg > lineage.svg)",
    .run = run_body<lineage>};

}  // namespace mlops::cli
