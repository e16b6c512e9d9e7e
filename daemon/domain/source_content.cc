#include "daemon/domain/source_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/git_origin.h"
#include "storage/meta/releases.h"

namespace mlops::domain {
namespace {

using meta::RevisionKind;

std::string_view word_of(RevisionKind kind) {
  return kind == RevisionKind::kPolicy ? "policy" : "environment";
}

Status read_policies(git::GitRepository& repository, const meta::SourceRow& source, const std::string& commit,
                     SourceContent& content) {
  if (source.policies_path.empty()) return {};
  const auto folder = source.policies_path == "." ? std::string() : source.policies_path;
  MLOPS_ASSIGN(auto files, repository.read_files(commit, folder, {".yaml", ".yml"}));
  std::map<std::string, std::string> paths;  // by name
  for (auto& file : files) {
    if (file.path == source.environments_path) continue;
    const auto origin = git_origin(source.repository, commit, file.path);
    MLOPS_ASSIGN(auto policy, policy::load_policy(file.content, origin));
    MLOPS_TRY(model::check_artifact_name(policy.name()));
    if (const auto [twin, is_new] = paths.emplace(policy.name(), file.path); !is_new) {
      return fail(ErrorCode::kInvalid, "policy_invalid",
                  fmt::format("{}: the policy {} stands in {} too", origin, policy.name(), twin->second));
    }
    content.policies.push_back({std::move(policy), file.path, origin, std::move(file.content)});
  }
  std::sort(content.policies.begin(), content.policies.end(),
            [](const auto& a, const auto& b) { return a.policy.name() < b.policy.name(); });
  return {};
}

Status read_environments(git::GitRepository& repository, const meta::SourceRow& source, const std::string& commit,
                         SourceContent& content) {
  if (source.environments_path.empty()) return {};
  MLOPS_ASSIGN(const auto yaml, repository.read_file(commit, source.environments_path));
  MLOPS_ASSIGN(content.environments,
               model::parse_environments(yaml, git_origin(source.repository, commit, source.environments_path)));
  return {};
}

struct Declared {
  RevisionKind kind;
  std::string name;
  std::string path;
  std::string digest;
};

std::vector<Declared> declared_in(const meta::SourceRow& source, const SourceContent& content) {
  std::vector<Declared> out;
  for (const auto& one : content.policies) {
    out.push_back({RevisionKind::kPolicy, one.policy.name(), one.path, one.policy.digest().to_string()});
  }
  std::vector<Declared> environments;
  for (const auto& one : content.environments) {
    environments.push_back(
        {RevisionKind::kEnvironment, one.name, source.environments_path, environment_row(one).digest});
  }
  std::sort(environments.begin(), environments.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  out.insert(out.end(), environments.begin(), environments.end());
  return out;
}

// How one declared thing differs from what is in force; nullopt: not at all.
Result<std::optional<SourceChange>> change_of(sql::Connection& connection, const meta::SourceRow& source,
                                              const Declared& declared) {
  MLOPS_ASSIGN(const auto owner, meta::owner_of(connection, declared.kind, declared.name));
  if (owner && owner->source != source.name) {
    return fail(ErrorCode::kConflict, "owned_by_another",
                fmt::format("the {} {} belongs to the source {}", word_of(declared.kind), declared.name, owner->source),
                "one source owns a name: rename it, or take it out of the other repository first");
  }
  SourceChange change{declared.kind, declared.name, "added", declared.path, {}, declared.digest};
  MLOPS_ASSIGN(const auto current, meta::find_revision(connection, declared.kind, declared.name));
  if (!current) return std::optional(change);
  change.before = current->digest;
  change.change = "changed";
  if (current->digest != declared.digest) return std::optional(change);
  MLOPS_ASSIGN(const auto from, meta::source_of_revision(connection, current->id));
  if (from && from->source_id == source.id) return std::optional<SourceChange>();
  change.change = "adopted";
  return std::optional(change);
}

Status insert_from(meta::WriteTx& tx, const meta::SourceRow& source, const std::string& commit,
                   const SourceChange& change, meta::RevisionRow row) {
  MLOPS_ASSIGN(const auto applied, meta::replace_revision(tx, change.kind, std::move(row)));
  return meta::insert_revision_source(tx,
                                      {applied.row.id, source.id, source.name, source.repository, commit, change.path});
}

// The environments that, after the change, are still there and name it.
Result<std::vector<std::string>> namers(sql::Connection& connection, const SourceChange& gone) {
  MLOPS_ASSIGN(const auto rows, meta::list_revisions(connection, RevisionKind::kEnvironment));
  std::vector<std::string> names;
  for (const auto& row : rows) {
    if (gone.kind == RevisionKind::kEnvironment && row.name == gone.name) continue;
    MLOPS_ASSIGN(const auto json, parse_json(row.body));
    MLOPS_ASSIGN(const auto environment, model::environment_from_json(json));
    const auto& list = gone.kind == RevisionKind::kPolicy ? environment.policies : environment.after;
    if (std::find(list.begin(), list.end(), gone.name) != list.end()) names.push_back(row.name);
  }
  return names;
}

Status remove(meta::WriteTx& tx, const SourceChange& gone) {
  MLOPS_ASSIGN(const auto current, meta::find_revision(tx.sql(), gone.kind, gone.name));
  if (!current) return {};
  MLOPS_ASSIGN(const auto names, namers(tx.sql(), gone));
  if (!names.empty()) {
    return fail(ErrorCode::kRefused, "still_used",
                fmt::format("the {} {} is gone from the commit, but environment {} names it", word_of(gone.kind),
                            gone.name, join(names, ", ")),
                "take it out there in the same commit");
  }
  if (gone.kind == RevisionKind::kEnvironment) {
    MLOPS_ASSIGN(const auto running,
                 meta::list_deployments(tx.sql(), {.environment = gone.name, .running_only = true, .limit = 1}));
    if (!running.empty()) {
      return fail(
          ErrorCode::kRefused, "still_used",
          fmt::format("the environment {} is gone from the commit, but it runs {}", gone.name, running.front().name),
          "keep it in the repository as long as something runs there");
    }
  }
  return meta::close_revision(tx, gone.kind, *current);
}

// The source owns exactly what its commit declares.
Status own(meta::WriteTx& tx, const meta::SourceRow& source, const SourceContent& content) {
  MLOPS_ASSIGN(const auto items, meta::items_of(tx.sql(), source.id));
  auto declared = declared_in(source, content);
  for (const auto& item : items) {
    const auto same = std::find_if(declared.begin(), declared.end(), [&](const Declared& one) {
      return one.kind == item.kind && one.name == item.name && one.path == item.path;
    });
    if (same != declared.end()) {
      declared.erase(same);
    } else {
      MLOPS_TRY(meta::delete_item(tx, item.id));
    }
  }
  for (const auto& one : declared) {
    MLOPS_TRY(meta::insert_item(tx, {tx.new_id(), source.id, one.kind, one.name, one.path}));
  }
  return {};
}

}  // namespace

Result<SourceContent> read_source(git::GitRepository& repository, const meta::SourceRow& source,
                                  const std::string& commit) {
  SourceContent content;
  MLOPS_TRY(read_policies(repository, source, commit, content));
  MLOPS_TRY(read_environments(repository, source, commit, content));
  return content;
}

Result<std::vector<SourceChange>> changes_of(sql::Connection& connection, const meta::SourceRow& source,
                                             const SourceContent& content) {
  std::vector<SourceChange> changes;
  std::set<std::pair<RevisionKind, std::string>> kept;
  for (const auto& declared : declared_in(source, content)) {
    kept.emplace(declared.kind, declared.name);
    MLOPS_ASSIGN(auto change, change_of(connection, source, declared));
    if (change) changes.push_back(std::move(*change));
  }
  MLOPS_ASSIGN(const auto items, meta::items_of(connection, source.id));
  for (const auto& item : items) {
    if (kept.contains({item.kind, item.name})) continue;
    MLOPS_ASSIGN(const auto current, meta::find_revision(connection, item.kind, item.name));
    changes.push_back({item.kind, item.name, "removed", item.path, current ? current->digest : "", {}});
  }
  return changes;
}

Json to_json(const SourceChange& change) {
  return {{"kind", word_of(change.kind)}, {"name", change.name},     {"change", change.change},
          {"path", change.path},          {"before", change.before}, {"after", change.after}};
}

std::string source_plan_digest(const meta::SourceRow& source, const std::string& target,
                               const std::vector<SourceChange>& changes) {
  Json list = Json::array();
  for (const auto& change : changes) list.push_back(to_json(change));
  return crypto::sha256(canonical_dump({{"source", source.id},
                                        {"repository", source.repository},
                                        {"base", source.pinned_commit},
                                        {"target", target},
                                        {"changes", std::move(list)}}))
      .to_string();
}

Status apply_source(meta::WriteTx& tx, const meta::SourceRow& source, const std::string& commit,
                    const SourceContent& content, const std::vector<SourceChange>& changes) {
  std::map<std::pair<RevisionKind, std::string>, const SourceChange*> wanted;
  for (const auto& change : changes) {
    if (change.change != "removed") wanted[{change.kind, change.name}] = &change;
  }
  for (const auto& one : content.policies) {
    const auto change = wanted.find({RevisionKind::kPolicy, one.policy.name()});
    if (change == wanted.end()) continue;
    meta::RevisionRow row;
    row.name = one.policy.name();
    row.digest = one.policy.digest().to_string();
    row.origin = one.origin;
    row.body = one.yaml;
    MLOPS_TRY(insert_from(tx, source, commit, *change->second, std::move(row)));
  }
  MLOPS_TRY(check_environment_links(tx.sql(), content.environments));
  for (const auto& one : content.environments) {
    const auto change = wanted.find({RevisionKind::kEnvironment, one.name});
    if (change != wanted.end()) MLOPS_TRY(insert_from(tx, source, commit, *change->second, environment_row(one)));
  }
  // Environments go before policies, which they may be the last to name.
  for (const auto kind : {RevisionKind::kEnvironment, RevisionKind::kPolicy}) {
    for (const auto& change : changes) {
      if (change.change == "removed" && change.kind == kind) MLOPS_TRY(remove(tx, change));
    }
  }
  tx.begin_entry("source.own", source.name, fmt::format("commit {}", commit));
  return own(tx, source, content);
}

}  // namespace mlops::domain
