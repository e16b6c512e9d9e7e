// The promotion order as a graph, for people and for Graphviz.
#include <fmt/format.h>

#include <map>
#include <set>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/model/duration.h"
#include "core/model/selector.h"

namespace mlops::cli {
namespace {

using model::Environment;

// What stands in the way of a change, in few words.
std::string notes_of(const Environment& environment) {
  std::vector<std::string> notes{std::string(to_word(environment.clearance))};
  if (!environment.region.empty()) notes.push_back(environment.region);
  if (environment.approvals_needed > 0) notes.push_back(counted(environment.approvals_needed, "approval", "approvals"));
  if (environment.soak_s > 0) notes.push_back("soak " + model::duration_text(environment.soak_s));
  if (!environment.windows.empty()) notes.emplace_back("windows");
  if (!environment.freezes.empty()) notes.emplace_back("freezes");
  return join(notes, ", ");
}

// As a tree: what comes after several environments stands whole under the first, and by name under the others.
class Tree {
 public:
  explicit Tree(const std::vector<Environment>& environments) {
    for (const auto& environment : environments) {
      by_name_[environment.name] = &environment;
      for (const auto& before : environment.after) next_[before].push_back(environment.name);
    }
    for (const auto& environment : environments) {
      const bool begins = std::none_of(environment.after.begin(), environment.after.end(),
                                       [&](const auto& before) { return by_name_.contains(before); });
      if (begins) add(environment.name, "", "");
    }
  }
  const Lines& lines() const { return lines_; }

 private:
  void add(const std::string& name, const std::string& branch, const std::string& indent) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return;
    if (!shown_.insert(name).second) {
      lines_.push_back(branch + name + "  (see above)");
      return;
    }
    lines_.push_back(branch + name + "  (" + notes_of(*found->second) + ")");
    const auto& next = next_[name];
    for (std::size_t i = 0; i < next.size(); ++i) {
      const bool is_last = i + 1 == next.size();
      add(next[i], indent + (is_last ? "└─ " : "├─ "), indent + (is_last ? "   " : "│  "));
    }
  }

  std::map<std::string, const Environment*> by_name_;
  std::map<std::string, std::vector<std::string>> next_;
  std::set<std::string> shown_;
  Lines lines_;
};

Lines dot_lines(const std::vector<Environment>& environments) {
  Lines lines{"digraph environments {", "  rankdir=LR;"};
  for (const auto& environment : environments) {
    lines.push_back(
        fmt::format("  \"{}\" [label=\"{}\\n{}\"];", environment.name, environment.name, notes_of(environment)));
    for (const auto& before : environment.after)
      lines.push_back(fmt::format("  \"{}\" -> \"{}\";", before, environment.name));
  }
  lines.emplace_back("}");
  return lines;
}

Result<int> env_graph(Session& session) {
  Query query("/api/v1/environments");
  query.add("as_of", session.as_of());
  MLOPS_ASSIGN(const auto items, fetch_list(session.api(), query, kNoLimit));
  std::vector<Environment> environments;
  Json edges = Json::array();
  for (const auto& item : items) {
    MLOPS_ASSIGN(auto environment, model::environment_from_json(item));
    for (const auto& before : environment.after) edges.push_back({{"from", before}, {"to", environment.name}});
    environments.push_back(std::move(environment));
  }
  environments = model::in_promotion_order(std::move(environments));
  Json names = Json::array();
  for (const auto& environment : environments) names.push_back(environment.name);
  const bool as_dot = session.option("--format").value_or("text") == "dot";
  session.print_value(
      {{"environments", names}, {"edges", edges}},
      [&] { print_lines(session, as_dot ? dot_lines(environments) : Tree(environments).lines()); },
      [&] { return join(names.get<std::vector<std::string>>(), "\n"); });
  return kExitDone;
}

}  // namespace

const Command kEnvGraphCommand{
    .path = "env graph",
    .group = "Environments and policies",
    .summary = "the promotion order as a graph",
    .options = {{.name = "--format",
                 .value_name = "FORMAT",
                 .help = "text, or dot for Graphviz",
                 .complete = Complete::kChoice,
                 .choices = {"text", "dot"}}},
    .shared = kOutput | kAsOf,
    .description = R"(A release enters an environment only when it runs or ran in one of those before it.

Examples:
  mlopsctl env graph
  mlopsctl env graph --format dot | dot -Tsvg -o environments.svg)",
    .run = run_body<env_graph>};

}  // namespace mlops::cli
