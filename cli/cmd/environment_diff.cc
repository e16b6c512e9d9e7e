#include "cli/cmd/environment_diff.h"

#include <fmt/format.h>

#include <map>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/run.h"
#include "cli/time.h"
#include "core/base/clock.h"

namespace mlops::cli {
namespace {

// Members of an environment that say nothing about what it is.
constexpr std::string_view kNotCompared[] = {"running", "revision",   "applied_by", "applied_at",
                                             "since",   "valid_from", "digest"};

struct Seen {
  std::map<std::string, Json> deployments;  // by kind and name
  Json environment;
};

Result<Seen> look(Session& session, const EnvironmentMoment& at) {
  Seen seen;
  MLOPS_ASSIGN(seen.environment,
               session.api().get(Query(item_path("environments", at.environment)).add("as_of", at.time).text()));
  Query query("/api/v1/status");
  query.add("environment", at.environment).add("as_of", at.time).add("known_at", session.known_at());
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  for (const auto& item : items) seen.deployments[text_of(item, "kind") + ":" + text_of(item, "name")] = item;
  for (const auto key : kNotCompared) seen.environment.erase(std::string(key));
  return seen;
}

Json text_or_null(const std::map<std::string, Json>& deployments, const std::string& name) {
  const auto found = deployments.find(name);
  return found == deployments.end() ? Json(nullptr) : Json(deployment_refs(found->second));
}

Json digests_of(const Json& deployment) {
  Json digests = Json::array();
  for (const auto& item : array_of(deployment, "members")) digests.push_back(text_of(item, "digest"));
  return digests;
}

Json changes_of(const Seen& a, const Seen& b) {
  Json changes = Json::array();
  std::map<std::string, bool> names;
  for (const auto& [name, item] : a.deployments) names[name] = true;
  for (const auto& [name, item] : b.deployments) names[name] = true;
  for (const auto& [name, known] : names) {
    const auto left = a.deployments.find(name);
    const auto right = b.deployments.find(name);
    const bool same = left != a.deployments.end() && right != b.deployments.end() &&
                      digests_of(left->second) == digests_of(right->second);
    if (same) continue;
    Json change = {{"what", name}, {"a", text_or_null(a.deployments, name)}, {"b", text_or_null(b.deployments, name)}};
    if (right != b.deployments.end()) {
      change["by"] = text_of(right->second, "by");
      change["at"] = text_of(right->second, "started_at");
      change["reason"] = text_of(right->second, "reason");
    }
    changes.push_back(std::move(change));
  }
  for (const auto& [key, value] : a.environment.items()) {
    if (key != "name" && value != member(b.environment, key)) {
      changes.push_back({{"what", "environment " + key}, {"a", value}, {"b", member(b.environment, key)}});
    }
  }
  for (const auto& [key, value] : b.environment.items()) {
    if (!a.environment.contains(key)) changes.push_back({{"what", "environment " + key}, {"a", nullptr}, {"b", value}});
  }
  return changes;
}

std::string shown(const EnvironmentMoment& at) {
  return at.environment + " " + (at.time.empty() ? "now" : at.time);
}

}  // namespace

std::optional<EnvironmentMoment> moment_of_environment(const std::string& text) {
  const auto at = text.rfind('@');
  if (at == text.npos || at == 0 || text.find('#') != text.npos || text.find(':') < at) return std::nullopt;
  const auto word = text.substr(at + 1);
  if (word == "now") return EnvironmentMoment{text.substr(0, at), {}};
  const auto time_us = parse_as_of(word, SystemClock().now_us());
  if (!time_us) return std::nullopt;
  return EnvironmentMoment{text.substr(0, at), format_rfc3339(*time_us)};
}

Result<int> diff_environments(Session& session, const EnvironmentMoment& a, const EnvironmentMoment& b) {
  MLOPS_ASSIGN(const auto left, look(session, a));
  MLOPS_ASSIGN(const auto right, look(session, b));
  const auto changes = changes_of(left, right);
  session.print_value(
      {{"a", shown(a)}, {"b", shown(b)}, {"same", changes.empty()}, {"changes", changes}},
      [&] {
        const auto style = style_of(session);
        if (changes.empty()) {
          session.print_line(style.paint(Tone::kGood, "✔ the same") + fmt::format("  {} → {}", shown(a), shown(b)));
          return;
        }
        session.print_line(style.paint(Tone::kBold, fmt::format("{} → {}", shown(a), shown(b))));
        std::vector<std::vector<std::string>> rows;
        const auto cell = [](const Json& value) { return value.is_null() ? std::string("–") : brief(value); };
        for (const auto& change : changes) {
          rows.push_back({text_of(change, "what"), cell(member(change, "a")), cell(member(change, "b")),
                          text_of(change, "by"), text_of(change, "reason")});
        }
        print_lines(session, aligned({"WHAT", "BEFORE", "AFTER", "BY", "REASON"}, rows, {}, style, 2));
      },
      [&] { return std::string(changes.empty() ? "same" : "different"); });
  return changes.empty() ? kExitDone : kExitRefused;
}

}  // namespace mlops::cli
