#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_source.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "policies/engine/explain.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kPackPrefix = "pack/";

// The line of a pack that "pack/hipaa-safe-harbor:93" cites; empty for the policy's own lines.
std::string pack_line(const std::string& where) {
  const auto colon = where.rfind(':');
  if (!where.starts_with(kPackPrefix) || colon == std::string::npos) return {};
  const auto line = parse_int(where.substr(colon + 1));
  for (const auto& pack : policy::packs()) {
    if (where.substr(kPackPrefix.size(), colon - kPackPrefix.size()) != pack.name || !line) continue;
    const auto lines = split(pack.yaml, '\n');
    const auto index = static_cast<std::size_t>(*line - 1);
    return index < lines.size() ? std::string(trim(lines[index])) : std::string{};
  }
  return {};
}

void add_sources(Json& node) {
  if (node.is_object() && node.contains("rule")) {
    if (const auto source = pack_line(text_of(node, "rule")); !source.empty()) node["source"] = source;
  }
  for (auto& child : node) {
    if (child.is_structured()) add_sources(child);
  }
}

void print_one(Session& session, const Json& one) {
  const auto style = style_of(session);
  KeyValues rows;
  for (const auto* key : {"column", "declared_as", "class", "summary", "subject", "level", "category", "apply",
                          "because", "rule", "source", "cite", "exception"}) {
    rows.add(key, text_of(one, key));
  }
  rows.add("groups", join(strings_of(one, "groups"), ", "));
  rows.add("columns", join(strings_of(one, "columns"), ", "));
  print_lines(session, rows.lines(style));
}

void heading(Session& session, std::string_view text) {
  session.print_line("");
  session.print_line(session.paint(Tone::kBold, text));
}

// A table of the members `keys` of each item; nothing when there is none.
void print_table(Session& session, const Json& items, std::string_view title, const std::vector<std::string>& headings,
                 const std::vector<std::string>& keys) {
  if (items.empty()) return;
  heading(session, title);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : items) {
    auto& row = rows.emplace_back();
    for (const auto& key : keys) row.push_back(text_of(item, key));
    if (const auto source = text_of(item, "source"); !source.empty()) row.back() += "  " + source;
  }
  print_lines(session, aligned(headings, rows, {}, style_of(session), 2));
}

void print_terms(Session& session, const Json& terms) {
  if (terms.empty()) return;
  heading(session, "Terms");
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : terms) {
    const auto by = text_of(one, "enforced_by");
    rows.push_back({text_of(one, "term"), text_of(one, "value"), by.empty() ? "declared evidence" : by});
  }
  print_lines(session, aligned({"TERM", "VALUE", "ENFORCED BY"}, rows, {}, style_of(session), 2));
}

void print_requirements(Session& session, const Json& list) {
  if (list.empty()) return;
  heading(session, "Evidence that packs ask for");
  const auto style = style_of(session);
  for (const auto& one : list) {
    const bool met = bool_of(one, "met");
    const auto mark = member(one, "met").is_null() ? "·" : style.paint(met ? Tone::kGood : Tone::kBad, met ? "✔" : "✘");
    session.print_line(
        fmt::format("  {} {}: {} ({})", mark, text_of(one, "path"), text_of(one, "why"), text_of(one, "cite")));
  }
}

void print_notes(Session& session, const Json& list) {
  if (list.empty()) return;
  heading(session, "Notes");
  for (const auto& one : list) {
    session.print_line(fmt::format("  {} ({})", text_of(one, "text"), text_of(one, "cite")));
  }
}

void print_head(Session& session, const Json& all) {
  KeyValues rows;
  rows.add("policy", text_of(all, "policy") + " " + text_of(all, "version"));
  rows.add("description", text_of(all, "description"));
  rows.add("digest", text_of(all, "digest"));
  rows.add("extends", join(strings_of(all, "extends"), ", "));
  rows.add("authority", join(strings_of(all, "authority"), "; "));
  std::vector<std::string> dates;
  for (const auto& one : array_of(all, "effective"))
    dates.push_back(text_of(one, "origin") + " " + text_of(one, "from"));
  rows.add("in force from", join(dates, ", "));
  rows.add("speaks about", text_of(all, "selects"));
  rows.add("unknown columns", text_of(all, "unknown_column"));
  const auto& output = member(all, "output");
  if (bool_of(all, "masks")) rows.add("masked output", text_of(output, "name") + ", " + text_of(output, "sensitivity"));
  const auto& residual = member(all, "residual");
  if (bool_of(all, "masks"))
    rows.add("residual scan", fmt::format("at most {} findings of score {} on", text_of(residual, "max_findings"),
                                          text_of(residual, "min_score")));
  rows.add("detectors", text_of(all, "detectors"));
  rows.add("tests", text_of(all, "tests"));
  print_lines(session, rows.lines(style_of(session)));
}

void print_all(Session& session, const Json& all) {
  print_head(session, all);
  print_table(session, array_of(all, "columns"), "Columns",
              {"COLUMN", "CLASS", "ABOUT", "APPLY", "BECAUSE", "CLAUSE", "RULE"},
              {"column", "class", "subject", "apply", "because", "cite", "rule"});
  print_table(session, array_of(all, "classes"), "Classes",
              {"CLASS", "APPLY", "STRENGTH", "CLAUSE", "EXCEPTION", "RULE"},
              {"class", "apply", "strength", "cite", "exception", "rule"});
  print_table(session, array_of(all, "gates"), "Gates", {"GATE", "FOR", "PASSES WHEN", "CLAUSE", "RULE"},
              {"id", "kinds", "asks", "cite", "rule"});
  print_terms(session, array_of(all, "terms"));
  print_requirements(session, array_of(all, "requirements"));
  print_table(session, array_of(all, "exceptions"), "Exceptions",
              {"ID", "FROM", "SCOPE", "REASON", "APPROVER", "EXPIRES"},
              {"id", "gate", "scope", "reason", "approver", "expires"});
  for (const auto* what : {"attestations", "evidence"}) {
    print_table(session, array_of(all, what), what == std::string_view("evidence") ? "Evidence" : "Attestations",
                {"NAME", "REFERENCE", "BY", "AT", "EXPIRES", "DIGEST"},
                {"name", "ref", "by", "at", "expires", "digest"});
  }
  print_table(session, array_of(all, "keys"), "Keys", {"KEY", "PURPOSE", "KEPT IN", "ROTATE DAYS"},
              {"name", "purpose", "ref", "rotate_days"});
  print_notes(session, array_of(all, "notes"));
}

Result<int> policy_explain(Session& session) {
  MLOPS_ASSIGN(const auto policy, load_named_policy(session.operand(0)));
  const auto column = session.option("--column");
  const auto class_name = session.option("--class");
  if (column && class_name) return usage_error("--column and --class exclude each other");
  Json report = column       ? policy::explain_column(policy, *column)
                : class_name ? policy::explain_class(policy, *class_name)
                             : policy::explain(policy);
  if (report.is_null()) {
    return fail(ErrorCode::kNotFound, "class_not_found", fmt::format("there is no class '{}'", printable(*class_name)),
                "docs/policies.md lists them");
  }
  if (session.flag("--pack-source")) add_sources(report);
  session.print_value(
      report,
      [&] {
        if (column || class_name) {
          print_one(session, report);
        } else {
          print_all(session, report);
        }
      },
      [&] { return column || class_name ? text_of(report, "apply") : policy.name(); });
  return kExitDone;
}

}  // namespace

const Command kPolicyExplainCommand{
    .path = "policy explain",
    .group = "Environments and policies",
    .summary = "what a policy does, rule by rule, with the clause of each, offline",
    .operands = {{.name = "POLICY", .help = "a policy file, or pack/NAME", .complete = Complete::kFile}},
    .options = {{.name = "--column", .value_name = "NAME", .help = "only what happens to this column"},
                {.name = "--class", .value_name = "CLASS", .help = "only what happens to this class"},
                {.name = "--pack-source", .help = "with the text of a pack's rule beside its place"}},
    .shared = kOutput | kOffline,
    .description =
        R"(For every class and column: the rule that holds, the file or pack and line it stands in, the clause of the law it
follows, and how much it takes away (9 the column goes … 0 kept). Gates in words. Terms say who enforces them, or that they are
declared evidence; evidence that a pack asks for is marked as there or missing.

Examples:
  mlopsctl policy explain clinical-deid.yaml
  mlopsctl policy explain clinical-deid.yaml --column note --pack-source
  mlopsctl policy explain pack/gdpr)",
    .run = run_body<policy_explain>};

}  // namespace mlops::cli
