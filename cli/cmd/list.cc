#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/cmd/version_text.h"
#include "cli/time.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kDefaultLimit = 100;

std::string pairs_text(const Json& map, std::string_view between) {
  std::vector<std::string> parts;
  if (!map.is_object()) return {};
  for (const auto& [key, value] : map.items()) parts.push_back(key + std::string(between) + brief(value));
  return join(parts, ", ");
}

// "name@v3" → "v3": the name stands in the first column already.
Json numbers_only(const Json& map) {
  Json shorter = Json::object();
  if (!map.is_object()) return shorter;
  for (const auto& [key, value] : map.items()) {
    const auto ref = brief(value);
    const auto at = ref.rfind('@');
    shorter[key] = at == std::string::npos ? ref : ref.substr(at + 1);
  }
  return shorter;
}

std::vector<Column> artifact_columns() {
  return {{"NAME", [](const Json& a) { return text_of(a, "name"); }},
          {"KIND", [](const Json& a) { return text_of(a, "kind"); }},
          {"VERSIONS", [](const Json& a) { return grouped(int_of(a, "versions")); }, false, true},
          {"NEWEST", [](const Json& a) { return text_of(a, "latest"); }},
          {"RUNS IN", [](const Json& a) { return pairs_text(numbers_only(member(a, "environments")), ": "); }},
          {"ALIASES", [](const Json& a) { return pairs_text(numbers_only(member(a, "aliases")), ": "); }}};
}

std::vector<Column> version_columns(const Session& session) {
  return {{"VERSION", [](const Json& v) { return text_of(v, "ref"); }},
          {"KIND", [](const Json& v) { return text_of(v, "kind"); }},
          {"SIZE", [](const Json& v) { return human_size(static_cast<std::uint64_t>(int_of(v, "size_bytes"))); }, false,
           true},
          {"FILES", [](const Json& v) { return grouped(int_of(v, "file_count")); }, true, true},
          {"SENSITIVITY", [](const Json& v) { return text_of(v, "sensitivity"); }},
          {"RUNS IN", [](const Json& v) { return join(strings_of(v, "environments"), ", "); }},
          {"ALIASES", [](const Json& v) { return join(strings_of(v, "aliases"), ", "); }},
          {"CREATED", [&session](const Json& v) { return show_time(session, text_of(v, "created_at")); }},
          {"BY", [](const Json& v) { return text_of(v, "created_by"); }},
          {"STATE", [](const Json& v) { return lifecycle_word(v); }},
          {"DIGEST", [](const Json& v) { return text_of(v, "digest"); }, true},
          {"METRICS", [](const Json& v) { return pairs_text(member(v, "metrics"), "="); }, true},
          {"LABELS", [](const Json& v) { return pairs_text(member(v, "labels"), "="); }, true}};
}

void hint_more(Session& session, const Json& items, std::size_t limit) {
  if (limit != kNoLimit && items.size() == limit) {
    session.say(fmt::format("the first {}; --limit 0 lists all", limit));
  }
}

Result<int> list_versions(Session& session, std::size_t limit) {
  Query query("/api/v1/versions");
  query.add("kind", session.option("--kind").value_or("")).add("name", session.operand(0));
  query.add("label", session.option("--label").value_or(""));
  query.add("deleted", session.flag("--deleted") ? "1" : "").add_times(session);
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  session.print_list(
      items, version_columns(session), [](const Json& v) { return text_of(v, "ref"); }, "no versions");
  hint_more(session, items, limit);
  return kExitDone;
}

Result<int> list(Session& session) {
  MLOPS_ASSIGN(const auto limit, limit_option(session, kDefaultLimit));
  // The catalogue of artifacts is of now; what was there at a time is a list of versions.
  const bool wants_versions =
      session.flag("--versions") || session.flag("--deleted") || session.option("--label") || !session.as_of().empty();
  if (wants_versions) return list_versions(session, limit);
  const auto name = session.operand(0);
  Query query("/api/v1/artifacts");
  query.add("kind", session.option("--kind").value_or("")).add("prefix", name);
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, limit));
  const bool is_exact =
      std::any_of(items.begin(), items.end(), [&](const Json& a) { return text_of(a, "name") == name; });
  if (!name.empty() && is_exact) return list_versions(session, limit);
  session.print_list(
      items, artifact_columns(), [](const Json& a) { return text_of(a, "name"); },
      name.empty() ? "nothing is registered; begin with: mlopsctl register model NAME PATH"
                   : "no artifact begins with that name");
  hint_more(session, items, limit);
  return kExitDone;
}

}  // namespace

const Command kListCommand{
    .path = "list",
    .group = "Registry",
    .summary = "list artifacts, or the versions of one",
    .operands = {{.name = "NAME",
                  .help = "an artifact (its versions), or the beginning of names",
                  .required = false,
                  .complete = Complete::kArtifact}},
    .options = {{.name = "--kind",
                 .value_name = "KIND",
                 .help = "only models or only datasets",
                 .complete = Complete::kChoice,
                 .choices = {"model", "dataset"}},
                {.name = "--versions", .help = "versions instead of artifacts"},
                {.name = "--label", .value_name = "KEY=VALUE", .help = "only versions with this label"},
                {.name = "--deleted", .help = "deleted versions too"},
                {.name = "--limit", .value_name = "N", .help = "at most so many (default 100; 0: all)"}},
    .shared = kOutput | kAsOf,
    .description =
        R"(Without NAME, every artifact with its newest version, where it runs and its aliases. With the name of an artifact, its
versions, newest first. With the beginning of names ("hospital/"), the artifacts below it.

Examples:
  mlopsctl list
  mlopsctl list hospital/readmission
  mlopsctl list --label team=cardio --as-of yesterday)",
    .run = run_body<list>};

}  // namespace mlops::cli
