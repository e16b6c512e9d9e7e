#include "policies/engine/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/policy_source.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

Result<int> policy_apply(Session& session) {
  MLOPS_ASSIGN(auto file, read_named_text(session.operand(0)));
  const bool candidate = session.flag("--candidate");
  Json wanted = {{"yaml", std::move(file.text)}, {"origin", file.origin}};
  if (candidate) wanted["candidate"] = true;
  const Json body = with_override(session, with_dry_run(session, std::move(wanted)));
  const auto answer = session.api().post("/api/v1/policies", body);
  if (!answer) {
    const auto facts = facts_of(answer.error());
    if (!session.wants_json()) {
      for (auto finding : array_of(facts, "findings")) {
        if (text_of(finding, "file").empty() && finding.is_object()) finding["file"] = file.origin;
        say_lines(session, finding_lines(finding, style_of(session)));
      }
    }
    return fail(answer.error());
  }
  session.print_value(
      *answer,
      [&] {
        const auto style = style_of(session);
        session.print_line(style.paint(Tone::kGood, "✔") +
                           fmt::format(" policy {} {}, revision {}", text_of(*answer, "name"),
                                       text_of(*answer, "change"), text_of(*answer, "revision")) +
                           (candidate ? ": a candidate, in force nowhere" : ""));
        KeyValues rows;
        rows.add("digest", text_of(*answer, "digest"));
        print_lines(session, rows.lines(style, 2));
        if (session.dry_run()) session.print_line(style.paint(Tone::kWarn, "dry run: nothing was changed"));
      },
      [&] { return text_of(*answer, "name"); });
  return kExitDone;
}

Result<int> policy_list(Session& session) {
  Query query("/api/v1/policies");
  query.add_times(session);
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  const std::vector<Column> columns = {
      {"POLICY", [](const Json& p) { return text_of(p, "name"); }},
      {"VERSION", [](const Json& p) { return text_of(p, "version"); }},
      {"MASKS", [](const Json& p) { return std::string(bool_of(p, "masks") ? "yes" : "no"); }},
      {"GATES", [](const Json& p) { return join(strings_of(p, "gates"), ", "); }},
      {"ORIGIN", [](const Json& p) { return std::string(bool_of(p, "pack") ? "built in" : "applied"); }},
      {"APPLIED", [&session](const Json& p) { return show_time(session, text_of(p, "applied_at")); }},
      {"BY", [](const Json& p) { return text_of(p, "applied_by"); }, true},
      {"REVISION", [](const Json& p) { return text_of(p, "revision"); }, true, true},
      {"DIGEST", [](const Json& p) { return text_of(p, "digest"); }, true}};
  session.print_list(
      items, columns, [](const Json& p) { return text_of(p, "name"); }, "no policies");
  return kExitDone;
}

void print_yaml(Session& session, std::string_view yaml) {
  if (yaml.ends_with('\n')) yaml.remove_suffix(1);
  for (const auto line : split(yaml, '\n')) session.print_line(line);
}

Result<int> policy_show(Session& session) {
  Query query(item_path("policies", session.operand(0)));
  query.add_times(session);
  MLOPS_ASSIGN(const Json found, session.api().get(query.text()));
  session.print_value(
      found,
      [&] {
        // The YAML alone goes to stdout, so that `policy show NAME > file` gives the file back.
        const auto style = style_of(session);
        KeyValues rows;
        rows.add("policy", fmt::format("{} {}, revision {}", text_of(found, "name"), text_of(found, "version"),
                                       text_of(found, "revision")));
        rows.add("digest", text_of(found, "digest"));
        rows.add("applied", style.time(text_of(found, "applied_at")) + " by " + text_of(found, "applied_by"));
        if (bool_of(found, "pack")) rows.add("origin", "built in");
        say_lines(session, rows.lines(style));
        print_yaml(session, text_of(found, "yaml"));
      },
      [&] { return text_of(found, "name"); });
  return kExitDone;
}

Result<int> policy_packs(Session& session) {
  const auto wanted = session.operand(0);
  Json items = Json::array();
  std::vector<std::string> names;
  for (const auto& pack : policy::packs()) {
    names.emplace_back(pack.name);
    if (pack.name == wanted) {
      print_yaml(session, pack.yaml);
      return kExitDone;
    }
    MLOPS_ASSIGN(const auto loaded, policy::load_policy(pack.yaml, std::string(pack.name) + ".yaml"));
    items.push_back({{"name", pack.name},
                     {"version", loaded.version()},
                     {"masks", loaded.masks()},
                     {"gates", loaded.gate_ids()},
                     {"digest", loaded.digest().to_string()}});
  }
  if (!wanted.empty()) {
    const auto near = nearest_word(wanted, names);
    return fail(ErrorCode::kNotFound, "pack_not_found", fmt::format("there is no pack '{}'", printable(wanted)),
                near ? "did you mean " + *near + "?" : "mlopsctl policy packs lists them");
  }
  const std::vector<Column> columns = {
      {"PACK", [](const Json& p) { return text_of(p, "name"); }},
      {"VERSION", [](const Json& p) { return text_of(p, "version"); }},
      {"MASKS", [](const Json& p) { return std::string(bool_of(p, "masks") ? "yes" : "no"); }},
      {"GATES", [](const Json& p) { return join(strings_of(p, "gates"), ", "); }},
      {"DIGEST", [](const Json& p) { return text_of(p, "digest"); }, true}};
  session.print_list(
      items, columns, [](const Json& p) { return text_of(p, "name"); }, "no packs");
  return kExitDone;
}

}  // namespace

const Command kPolicyApplyCommand{
    .path = "policy apply",
    .group = "Environments and policies",
    .summary = "install a policy from a YAML file",
    .operands = {{.name = "FILE", .help = "the file, - for standard input", .complete = Complete::kFile}},
    .options = {{.name = "--candidate",
                 .help = "keep it for a policy that names it as its shadow, without applying it"},
                kOverrideOption,
                kOverrideReasonOption},
    .shared = kOutput | kDryRun,
    .description = R"(The server lints it first; `policy lint` does the same without a server.

Example:
  mlopsctl policy apply clinical-deid.yaml --dry-run)",
    .run = run_body<policy_apply>};

const Command kPolicyListCommand{.path = "policy list",
                                 .group = "Environments and policies",
                                 .summary = "list policies",
                                 .shared = kOutput | kAsOf,
                                 .description = R"(Example:
  mlopsctl policy list -o wide)",
                                 .run = run_body<policy_list>};

const Command kPolicyShowCommand{.path = "policy show",
                                 .group = "Environments and policies",
                                 .summary = "a policy's text, now or at a time",
                                 .operands = {{.name = "NAME", .help = "the policy", .complete = Complete::kPolicy}},
                                 .shared = kOutput | kAsOf,
                                 .description = R"(The YAML goes to standard output, who applied it to standard error.

Example:
  mlopsctl policy show clinical-deid --as-of 2026-11-01 > then.yaml)",
                                 .run = run_body<policy_show>};

const Command kPolicyPacksCommand{.path = "policy packs",
                                  .group = "Environments and policies",
                                  .summary = "the policy packs built in, or the text of one",
                                  .operands = {{.name = "NAME", .help = "print this pack", .required = false}},
                                  .shared = kOutput | kOffline,
                                  .description = R"(Examples:
  mlopsctl policy packs
  mlopsctl policy packs hipaa-safe-harbor)",
                                  .run = run_body<policy_packs>};

}  // namespace mlops::cli
