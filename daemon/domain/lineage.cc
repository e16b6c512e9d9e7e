#include "daemon/domain/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "core/model/reference.h"
#include "storage/meta/releases.h"
#include "storage/meta/revisions.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kNodeLimit = 10'000;
constexpr std::string_view kMaskedRole = "masked";

// Breadth-first over versions; masking runs, commits, releases and deployments hang on the versions they belong to.
class Walker {
 public:
  Walker(sql::Connection& connection, const LineageQuestion& question)
      : connection_(connection), question_(question), up_(question.direction == meta::Direction::kUp) {}

  Result<model::LineageView> run(model::Version root) {
    view_.root = "version:" + root.id;
    view_.direction = up_ ? "up" : "down";
    std::deque<std::pair<model::Version, std::size_t>> queue;
    queue.emplace_back(std::move(root), 0);
    seen_.insert(queue.front().first.id);
    while (!queue.empty()) {
      auto [version, depth] = std::move(queue.front());
      queue.pop_front();
      MLOPS_TRY(add_version(version));
      if (depth >= question_.depth) continue;
      MLOPS_ASSIGN(const auto edges, meta::edges_of(connection_, version.id, question_.direction, question_.as_of_us));
      for (const auto& edge : edges) {
        MLOPS_TRY(add_edge(edge));
        const auto& next_id = up_ ? edge.from_version_id : edge.to_version_id;
        if (!seen_.insert(next_id).second) continue;
        MLOPS_ASSIGN(auto next, meta::get_version(connection_, next_id));
        queue.emplace_back(std::move(next), depth + 1);
      }
      if (view_.nodes.size() > kNodeLimit) {
        return fail(ErrorCode::kExhausted, "lineage_too_large", fmt::format("more than {} nodes", kNodeLimit),
                    "give a smaller --depth");
      }
    }
    return std::move(view_);
  }

 private:
  Status add_version(const model::Version& version) {
    const auto id = "version:" + version.id;
    view_.nodes.push_back({id, std::string(to_word(version.kind)), version.ref(), version.ref(),
                           std::string(to_word(version.sensitivity)), version.created_at_us});
    if (up_ && version.git) add_commit(id, *version.git);
    return up_ ? Status() : add_deployments(version);
  }

  void add_commit(const std::string& version_node, const model::GitSource& git) {
    const auto id = "git:" + git.commit;
    if (nodes_.insert(id).second) {
      const auto label = fmt::format("{}{}{}", git.commit.substr(0, 12), git.branch.empty() ? "" : " " + git.branch,
                                     git.dirty ? " (dirty)" : "");
      view_.nodes.push_back({id, "git", label, {}, {}, 0});
    }
    view_.edges.push_back({id, version_node, "code"});
  }

  // A masking edge goes through the run, so the policy and its evidence are on the path.
  Status add_edge(const meta::EdgeRow& edge) {
    const auto from = "version:" + edge.from_version_id;
    const auto to = "version:" + edge.to_version_id;
    if (edge.role != kMaskedRole) {
      view_.edges.push_back({from, to, edge.role});
      return {};
    }
    MLOPS_ASSIGN(const auto runs, meta::masking_runs_of_output(connection_, edge.to_version_id));
    for (const auto& run : runs) {
      if (run.source_version_id == edge.from_version_id) MLOPS_TRY(add_masking_run(run, from, to));
    }
    return {};
  }

  Status add_masking_run(const meta::MaskingRunRow& run, const std::string& from, const std::string& to) {
    MLOPS_ASSIGN(const auto policy,
                 meta::get_revision_by_id(connection_, meta::RevisionKind::kPolicy, run.policy_revision_id));
    const auto id = "masking:" + run.id;
    if (nodes_.insert(id).second) {
      const auto label = fmt::format("{} revision {} ({})", policy.name, policy.revision, policy.digest.substr(0, 19));
      view_.nodes.push_back({id, "masking", label, {}, {}, run.created_at_us});
    }
    view_.edges.push_back({from, id, "input"});
    view_.edges.push_back({id, to, "masked"});
    return {};
  }

  Status add_deployments(const model::Version& version) {
    MLOPS_ASSIGN(const auto deployments,
                 meta::list_deployments(connection_, {.version_id = version.id, .as_of_us = question_.as_of_us}));
    for (const auto& deployment : deployments) {
      const auto release = "release:" + deployment.release_id;
      if (nodes_.insert(release).second) {
        const auto label = fmt::format("{} release {}", deployment.name, deployment.release_number);
        view_.nodes.push_back({release, "release", label, {}, {}, 0});
      }
      if (nodes_.insert(release + version.id).second) {
        view_.edges.push_back({"version:" + version.id, release, "member"});
      }
      const auto id = "deployment:" + deployment.id;
      if (!nodes_.insert(id).second) continue;
      const auto until = deployment.valid_to_us ? "until " + format_rfc3339(*deployment.valid_to_us) : "running";
      view_.nodes.push_back(
          {id, "deployment", fmt::format("{} ({})", deployment.environment, until), {}, {}, deployment.valid_from_us});
      view_.edges.push_back({release, id, deployment.action});
    }
    return {};
  }

  sql::Connection& connection_;
  const LineageQuestion& question_;
  const bool up_;
  model::LineageView view_;
  std::set<std::string> seen_;   // version ids
  std::set<std::string> nodes_;  // other nodes and membership edges
};

}  // namespace

Result<model::LineageView> Lineage::walk(const LineageQuestion& question) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(question.ref));
  return store_.read<model::LineageView>([&](sql::Connection& connection) -> Result<model::LineageView> {
    MLOPS_ASSIGN(auto root, meta::resolve(connection, reference, question.as_of_us));
    return Walker(connection, question).run(std::move(root));
  });
}

Result<std::vector<model::TaintStep>> taint_path(sql::Connection& connection, const model::Version& version) {
  struct Visited {
    model::Version version;
    std::string came_from;  // version id towards the start
    std::string role;       // how came_from used it
  };
  if (version.sensitivity == model::Sensitivity::kNone) return std::vector<model::TaintStep>();
  std::map<std::string, Visited> visited;
  std::deque<std::string> queue{version.id};
  visited[version.id] = {version, {}, {}};
  while (!queue.empty()) {
    const auto id = queue.front();
    queue.pop_front();
    if (visited[id].version.own_sensitivity == version.sensitivity) {
      std::vector<model::TaintStep> path;
      for (auto at = id; !at.empty(); at = visited[at].came_from) {
        path.push_back({visited[at].version.ref(), visited[at].version.sensitivity, visited[at].role});
      }
      std::reverse(path.begin(), path.end());
      return path;
    }
    MLOPS_ASSIGN(const auto edges, meta::edges_of(connection, id, meta::Direction::kUp));
    for (const auto& edge : edges) {
      if (edge.role == kMaskedRole || visited.contains(edge.from_version_id)) continue;
      MLOPS_ASSIGN(auto next, meta::get_version(connection, edge.from_version_id));
      if (next.sensitivity < version.sensitivity) continue;
      visited[edge.from_version_id] = {std::move(next), id, edge.role};
      queue.push_back(edge.from_version_id);
    }
  }
  return std::vector<model::TaintStep>();
}

}  // namespace mlops::domain
