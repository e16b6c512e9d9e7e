#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/ran_text.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/clock.h"

namespace mlops::cli {
namespace {

// A member by its digest: names of a model and a dataset may be equal, digests are not.
std::string exact_ref(const Json& release_member) {
  const auto ref = text_of(release_member, "ref");
  return ref.substr(0, ref.find('@')) + "@" + text_of(release_member, "digest");
}

Result<Json> member_of(Session& session, const Json& release_member, const std::string& as_of) {
  Query query("/api/v1/lineage");
  query.add("ref", exact_ref(release_member)).add("direction", "up").add("as_of", as_of);
  MLOPS_ASSIGN(Json lineage, session.api().get(query.text()));
  Json item = release_member;
  item["trained_on"] = training_data_of(lineage);
  item["lineage"] = std::move(lineage);
  return item;
}

Result<Json> entry_of(Session& session, const Json& deployment, const std::string& as_of) {
  Json entry = {{"deployment", deployment}, {"plan", nullptr}, {"members", Json::array()}};
  if (const auto plan = text_of(deployment, "plan"); !plan.empty()) {
    MLOPS_ASSIGN(entry["plan"], session.api().get(item_path("plans", plan)));
  }
  for (const auto& item : array_of(deployment, "members")) {
    MLOPS_ASSIGN(auto with_data, member_of(session, item, as_of));
    entry["members"].push_back(std::move(with_data));
  }
  return entry;
}

Result<int> ran(Session& session) {
  const auto environment = session.operand(0);
  const auto as_of = session.as_of().empty() ? format_rfc3339(SystemClock().now_us()) : session.as_of();
  Query query("/api/v1/status");
  query.add("environment", environment).add("name", session.operand(1)).add_times(session);
  MLOPS_ASSIGN(const auto deployments, fetch_list(session.api(), query, kNoLimit));
  if (deployments.empty()) {
    // A mistyped environment must not read as "nothing ran".
    MLOPS_ASSIGN([[maybe_unused]] const auto exists,
                 session.api().get(Query(item_path("environments", environment)).add_times(session).text()));
  }
  Json answer = {{"environment", environment}, {"as_of", as_of}, {"deployments", Json::array()}};
  for (const auto& deployment : deployments) {
    MLOPS_ASSIGN(auto entry, entry_of(session, deployment, session.as_of()));
    answer["deployments"].push_back(std::move(entry));
  }
  session.print_value(
      answer,
      [&] {
        if (deployments.empty()) session.say(fmt::format("{} ran nothing at {}", environment, as_of));
        print_lines(session, ran_lines(answer, style_of(session)));
      },
      [&] { return deployments.empty() ? std::string() : deployment_refs(deployments.front()); });
  return kExitDone;
}

}  // namespace

const Command kRanCommand{
    .path = "ran",
    .group = "Daily work",
    .summary = "what ran in an environment at a time, what data trained it, and who decided",
    .operands = {{.name = "ENV", .help = "the environment", .complete = Complete::kEnvironment},
                 {.name = "NAME", .help = "only this artifact", .required = false, .complete = Complete::kArtifact}},
    .shared = kOutput | kAsOf,
    .description =
        R"(The auditor's first question in one command: the release, its digests, every dataset behind it with its sensitivity and
whether it was masked, the policies, the approvals, and the lineage as it was known then.

Examples:
  mlopsctl ran prod --as-of 2026-11-01T09:00:00Z
  mlopsctl ran prod hospital/readmission --as-of yesterday -o json)",
    .run = run_body<ran>};

}  // namespace mlops::cli
