// What may change about a version after registration: aliases, labels, deprecation, deletion.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/version_text.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::cli {
namespace {

// "✔ done" or "… would be done" for a dry run.
void print_done(Session& session, const std::string& what) {
  const auto style = style_of(session);
  session.print_line(session.dry_run() ? style.paint(Tone::kWarn, "…") + " dry run, nothing was changed: " + what
                                       : style.paint(Tone::kGood, "✔") + " " + what);
}

Result<int> alias(Session& session) {
  const auto word = session.operand(1);
  MLOPS_TRY(model::check_alias(word));
  const bool removes = session.flag("--remove");
  Json body = with_dry_run(session, {{removes ? "name" : "ref", session.operand(0)}, {"alias", word}});
  MLOPS_ASSIGN(const Json answer,
               removes ? session.api().del("/api/v1/aliases", body) : session.api().put("/api/v1/aliases", body));
  session.print_value(
      answer,
      [&] {
        const auto previous = text_of(answer, "previous");
        const auto before = previous.empty() ? std::string() : fmt::format(" (was {})", previous);
        print_done(session, removes ? fmt::format("alias {} of {} removed{}", word, session.operand(0), before)
                                    : fmt::format("{} → {}{}", word, text_of(answer, "ref"), before));
      },
      [&] { return word; });
  return kExitDone;
}

Result<int> label(Session& session) {
  Json set = Json::object();
  Json remove = Json::array();
  for (const auto& text : session.operands_from(1)) {
    const auto at = text.find('=');
    const bool removes = at == std::string::npos && text.size() > 1 && text.back() == '-';
    if (at == std::string::npos && !removes) {
      return usage_error(fmt::format("{} is neither key=value nor key-", printable(text)),
                         "for example team=cardio to set, team- to remove");
    }
    auto key = removes ? text.substr(0, text.size() - 1) : text.substr(0, at);
    MLOPS_TRY(model::check_key(key, "label"));
    if (removes) {
      remove.push_back(std::move(key));
    } else {
      set[key] = text.substr(at + 1);
    }
  }
  const Json body = with_dry_run(session, {{"set", std::move(set)}, {"remove", std::move(remove)}});
  MLOPS_ASSIGN(const Json version, session.api().post(item_path("versions", session.operand(0), "/labels"), body));
  session.print_value(
      version,
      [&] {
        print_done(session, fmt::format("{} labels: {}", text_of(version, "ref"), brief(member(version, "labels"))));
      },
      [&] { return text_of(version, "ref"); });
  return kExitDone;
}

Result<int> deprecate(Session& session) {
  const auto reason = session.option("--reason").value_or("");
  const bool undoes = session.flag("--undo");
  if (undoes == !reason.empty()) {
    return usage_error("say either --reason TEXT or --undo", "mlopsctl deprecate REF --reason \"superseded by v4\"");
  }
  const Json body = with_dry_run(session, {{"reason", reason}});
  MLOPS_ASSIGN(const Json version, session.api().post(item_path("versions", session.operand(0), "/deprecate"), body));
  const auto ref = text_of(version, "ref");
  session.print_value(
      version,
      [&] {
        print_done(session, undoes ? ref + " is no longer deprecated" : ref + " is deprecated: " + reason);
        const auto running = join(strings_of(version, "environments"), ", ");
        if (!undoes && !running.empty()) session.warn("it still runs in " + running);
        if (!undoes && !session.dry_run()) session.say("undo: mlopsctl deprecate " + ref + " --undo");
      },
      [&] { return ref; });
  return kExitDone;
}

Result<int> delete_version(Session& session) {
  const auto ref = session.operand(0);
  const auto reason = session.option("--reason").value_or("");
  if (reason.empty()) return usage_error("deleting needs a reason", "add --reason \"…\"; it stays in the tombstone");
  // Only typing the name again shows that this very version is meant; a prompt would not work in scripts.
  if (!session.dry_run() && session.option("--confirm").value_or("") != ref) {
    return fail(ErrorCode::kInvalid, "confirm_needed", "deleting cannot be undone",
                "if you mean it, add --confirm=" + ref);
  }
  MLOPS_ASSIGN(const Json version,
               session.api().del(item_path("versions", ref), with_dry_run(session, {{"reason", reason}})));
  session.print_value(
      version,
      [&] {
        print_done(session, fmt::format("{} is deleted; a tombstone with digest {} and the reason stays",
                                        text_of(version, "ref"), short_digest(text_of(version, "digest"))));
      },
      [&] { return text_of(version, "ref"); });
  return kExitDone;
}

}  // namespace

const Command kAliasCommand{
    .path = "alias",
    .group = "Registry",
    .summary = "point an alias at a version, or remove one",
    .operands = {{.name = "REF",
                  .help = "the version; with --remove the artifact's name",
                  .complete = Complete::kReference},
                 {.name = "ALIAS", .help = "the word, e.g. champion"}},
    .options = {{.name = "--remove", .help = "remove the alias"}},
    .shared = kOutput | kDryRun,
    .description =
        R"(An alias is a movable name (name@champion). It never says what an environment runs: that is what promote does.

Examples:
  mlopsctl alias hospital/readmission@v3 champion
  mlopsctl alias --remove hospital/readmission champion)",
    .run = run_body<alias>};

const Command kLabelCommand{
    .path = "label",
    .group = "Registry",
    .summary = "set and remove labels of a version",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference},
                 {.name = "LABEL", .help = "key=value to set, key- to remove", .repeated = true}},
    .shared = kOutput | kDryRun,
    .description = R"(Examples:
  mlopsctl label hospital/readmission@v3 team=cardio ticket=4711
  mlopsctl label hospital/readmission@v3 ticket-)",
    .run = run_body<label>};

const Command kDeprecateCommand{
    .path = "deprecate",
    .group = "Registry",
    .summary = "retire a version: it stays, but is promoted no more",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .options = {{.name = "--reason", .value_name = "TEXT", .help = "why"}, {.name = "--undo", .help = "take it back"}},
    .shared = kOutput | kDryRun,
    .description = R"(Examples:
  mlopsctl deprecate hospital/readmission@v2 --reason "worse on patients over 80"
  mlopsctl deprecate hospital/readmission@v2 --undo)",
    .run = run_body<deprecate>};

const Command kDeleteCommand{
    .path = "delete",
    .group = "Registry",
    .summary = "delete a version for good, leaving a tombstone (administrators)",
    .operands = {{.name = "REF", .help = "the version", .complete = Complete::kReference}},
    .options =
        {{.name = "--reason", .value_name = "TEXT", .help = "why; kept in the tombstone and the audit log"},
         {.name = "--confirm", .value_name = "REF", .help = "the same REF again", .complete = Complete::kReference}},
    .shared = kOutput | kDryRun,
    .description =
        R"(Refused while an environment runs the version or a live version was made from it. Retire with `deprecate` unless the
bytes must go.

Example:
  mlopsctl delete hospital/patients@v1 --reason "consent withdrawn" --confirm=hospital/patients@v1)",
    .run = run_body<delete_version>};

}  // namespace mlops::cli
