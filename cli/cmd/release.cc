// release …: bundles of versions with a name of their own; review …: what follows a break-glass promotion.
#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultLimit = 50;
constexpr const char* kGroup = "Registry";

// "model=NAME@v3".
Result<Json> member_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
    return usage_error(fmt::format("\"{}\" is no ROLE=REF", printable(text)),
                       "for example --member model=hospital/readmission@v3");
  }
  return Json{{"role", text.substr(0, equals)}, {"ref", text.substr(equals + 1)}};
}

void print_release(Session& session, const Json& release, std::string_view title) {
  const auto style = style_of(session);
  session.print_line(std::string(title) + style.paint(Tone::kBold, text_of(release, "ref")));
  KeyValues rows;
  for (const auto& item : array_of(release, "members")) {
    rows.add(text_of(item, "role"), text_of(item, "ref") + "  " + short_digest(text_of(item, "digest")));
  }
  for (const auto& policy : array_of(release, "policies")) {
    rows.add("policy", text_of(policy, "name") + "  " + short_digest(text_of(policy, "digest")));
  }
  rows.add("digest", text_of(release, "digest"));
  print_lines(session, rows.lines(style, 2));
}

Result<int> release_create(Session& session) {
  Json members = Json::array();
  for (const auto& text : session.option_all("--member")) {
    MLOPS_ASSIGN(auto item, member_of(text));
    members.push_back(std::move(item));
  }
  if (members.empty())
    return usage_error("a release needs members", "--member model=NAME@v3 --member thresholds=NAME@v1");
  const Json body = {{"name", session.operand(0)}, {"members", members}, {"policies", session.option_all("--policy")}};
  MLOPS_ASSIGN(const auto made, session.api().post("/api/v1/releases", with_dry_run(session, body)));
  const auto& release = member(made, "release");
  session.print_value(
      made,
      [&] {
        print_release(session, release, bool_of(made, "created") ? "✔ made " : "is there already: ");
        if (!session.dry_run()) session.say("next: mlopsctl plan " + text_of(release, "ref") + " --to ENV");
      },
      [&] { return text_of(release, "ref"); });
  return kExitDone;
}

Result<int> release_list(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultLimit));
  Query query("/api/v1/releases");
  query.add("name", session.operand(0));
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  const std::vector<Column> columns = {
      {"RELEASE", [](const Json& r) { return text_of(r, "ref"); }},
      {"MEMBERS",
       [](const Json& r) {
         std::string text;
         for (const auto& item : array_of(r, "members")) {
           text += (text.empty() ? "" : ", ") + text_of(item, "role") + "=" + text_of(item, "ref");
         }
         return text;
       }},
      {"MADE", [&session](const Json& r) { return show_time(session, text_of(r, "created_at")); }},
      {"DIGEST", [](const Json& r) { return text_of(r, "digest"); }, true}};
  session.print_list(
      items, columns, [](const Json& r) { return text_of(r, "ref"); }, "no named releases");
  return kExitDone;
}

Result<int> release_show(Session& session) {
  auto ref = session.operand(0);
  if (!ref.starts_with("release:")) ref = "release:" + ref;
  MLOPS_ASSIGN(const auto release, session.api().get(item_path("releases", ref)));
  session.print_value(
      release, [&] { print_release(session, release, ""); }, [&] { return text_of(release, "ref"); });
  return kExitDone;
}

Result<int> review_list(Session& session) {
  Query query("/api/v1/reviews");
  query.add("environment", session.option("--env").value_or("")).add("open", session.flag("--all") ? "" : "1");
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  const std::vector<Column> columns = {
      {"DEPLOYMENT", [](const Json& r) { return short_id(text_of(r, "deployment")); }},
      {"ENV", [](const Json& r) { return text_of(r, "environment"); }},
      {"BY", [](const Json& r) { return text_of(r, "opened_by"); }},
      {"PASSED OVER", [](const Json& r) { return join(strings_of(r, "overridden"), ", "); }},
      {"OPENED", [&session](const Json& r) { return show_time(session, text_of(r, "opened_at")); }},
      {"DUE", [&session](const Json& r) { return show_time(session, text_of(r, "due_at")); }},
      {"OUTCOME", [](const Json& r) { return text_of(r, "outcome"); }},
      {"REVIEWED BY", [](const Json& r) { return text_of(r, "reviewed_by"); }},
      {"NOTE", [](const Json& r) { return text_of(r, "note"); }, true}};
  session.print_list(
      items, columns, [](const Json& r) { return text_of(r, "deployment"); },
      "no break-glass promotion waits for a review");
  return kExitDone;
}

Result<int> review_close(Session& session) {
  const auto note = session.option("--note").value_or("");
  const auto outcome = session.option("--outcome").value_or("");
  if (note.empty() || outcome.empty()) {
    return usage_error("a review needs --outcome and --note",
                       "--outcome justified|unjustified --note \"what was looked at\"");
  }
  MLOPS_ASSIGN(const auto review, session.api().post(item_path("reviews", session.operand(0)),
                                                     with_dry_run(session, {{"outcome", outcome}, {"note", note}})));
  session.print_value(
      review,
      [&] {
        session.print_line(fmt::format("✔ {} in {} is found {}; promotions to {} go on",
                                       short_id(text_of(review, "deployment")), text_of(review, "environment"), outcome,
                                       text_of(review, "environment")));
        if (outcome == "unjustified") session.say("what runs is not changed by a review: mlopsctl rollback goes back");
      },
      [&] { return text_of(review, "deployment"); });
  return kExitDone;
}

}  // namespace

const Command kReleaseCreateCommand{.path = "release create",
                                    .group = kGroup,
                                    .summary = "name a bundle of versions that move and go back as one",
                                    .operands = {{.name = "NAME", .help = "the release's name"}},
                                    .options = {{.name = "--member",
                                                 .value_name = "ROLE=REF",
                                                 .help = "model, preprocessing, thresholds, dataset …; the first leads",
                                                 .repeated = true},
                                                {.name = "--policy",
                                                 .value_name = "NAME",
                                                 .help = "a policy that moves along at its present revision",
                                                 .repeated = true,
                                                 .complete = Complete::kPolicy}},
                                    .shared = kOutput | kDryRun,
                                    .description = R"(The same content is the same release, whoever makes it again.

Example:
  mlopsctl release create hospital/readmission-stack --member model=hospital/readmission@v3 \
    --member preprocessing=hospital/features@v2 --member thresholds=hospital/thresholds@v7
  mlopsctl plan release:hospital/readmission-stack@r1 --to prod)",
                                    .run = run_body<release_create>};

const Command kReleaseListCommand{
    .path = "release list",
    .group = kGroup,
    .summary = "list named releases, newest first",
    .operands = {{.name = "NAME", .help = "only this name", .required = false}},
    .options = {{.name = "--limit", .value_name = "N", .help = "at most so many (default 50; 0: all)"}},
    .shared = kOutput,
    .description = R"(Example:
  mlopsctl release list hospital/readmission-stack)",
    .run = run_body<release_list>};

const Command kReleaseShowCommand{.path = "release show",
                                  .group = kGroup,
                                  .summary = "show what belongs to a named release",
                                  .operands = {{.name = "RELEASE", .help = "release:NAME@r1"}},
                                  .shared = kOutput,
                                  .description = R"(Example:
  mlopsctl release show release:hospital/readmission-stack@r1)",
                                  .run = run_body<release_show>};

const Command kReviewListCommand{.path = "review list",
                                 .group = "Daily work",
                                 .summary = "list break-glass promotions that wait for a review",
                                 .options = {{.name = "--env",
                                              .value_name = "ENV",
                                              .help = "only this environment",
                                              .complete = Complete::kEnvironment},
                                             {.name = "--all", .help = "also those that were reviewed"}},
                                 .shared = kOutput,
                                 .description = R"(Example:
  mlopsctl review list --env prod)",
                                 .run = run_body<review_list>};

const Command kReviewCloseCommand{
    .path = "review close",
    .group = "Daily work",
    .summary = "review a break-glass promotion of somebody else",
    .operands = {{.name = "DEPLOYMENT", .help = "as `review list` shows it"}},
    .options = {{.name = "--outcome",
                 .value_name = "WORD",
                 .help = "was it right to pass over the gates?",
                 .complete = Complete::kChoice,
                 .choices = {"justified", "unjustified"}},
                {.name = "--note", .value_name = "TEXT", .help = "what was looked at, and what follows"}},
    .shared = kOutput | kDryRun,
    .description = R"(Until it is done, the environment takes no other promotion.

Example:
  mlopsctl review close 019384a2-7b1c --outcome justified --note "incident 4711, monitored for 2 h")",
    .run = run_body<review_close>};

}  // namespace mlops::cli
