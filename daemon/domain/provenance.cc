#include "daemon/domain/provenance.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/reference.h"
#include "daemon/domain/git_origin.h"
#include "daemon/domain/identity.h"
#include "storage/meta/releases.h"
#include "storage/meta/sources.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kFound = "found";
constexpr std::string_view kMissing = "missing";
constexpr std::string_view kUnreachable = "unreachable";
constexpr std::string_view kUnknown = "unknown";
// A commit that is not there yet is asked for again by everyone who wants it, but not more often than this.
constexpr TimestampUs kMissingAgainUs = 1'000'000;
constexpr std::size_t kPartMax = 64;

bool lists(const meta::GitRepositoryRow& row, GitUse use) {
  const auto words = split(row.uses, ' ');
  return std::find(words.begin(), words.end(), to_word(use)) != words.end();
}

Result<model::ProvenanceFact> fact_of(sql::Connection& connection, const model::GitSource& git,
                                      const std::vector<meta::GitRepositoryRow>& repositories) {
  model::ProvenanceFact fact;
  fact.state = kUnknown;
  const auto key = git::normalised_url(git.remote);
  for (const auto& row : repositories) {
    if (row.url_key == key && lists(row, GitUse::kProvenance)) fact.repositories.push_back(row.name);
  }
  if (fact.repositories.empty()) return fact;
  MLOPS_ASSIGN(const auto row, meta::find_code_fact(connection, key, git.commit));
  if (!row) return fact;
  MLOPS_ASSIGN(const auto branches, parse_json(row->branches));
  fact.state = row->state;
  fact.seen_at_us = row->seen_at_us;
  for (const auto& branch : branches) {
    if (branch.is_string()) fact.branches.push_back(branch.get<std::string>());
  }
  return fact;
}

}  // namespace

Status add_provenance(sql::Connection& connection, const std::string& environment_revision_id,
                      model::PromotionFacts& facts) {
  MLOPS_ASSIGN(const auto source, meta::source_of_revision(connection, environment_revision_id));
  if (source) facts.environment_source = git_origin(source->repository, source->commit, source->path);
  MLOPS_ASSIGN(const auto repositories, meta::list_git_repositories(connection));
  const bool any = std::any_of(repositories.begin(), repositories.end(),
                               [](const auto& row) { return lists(row, GitUse::kProvenance); });
  if (!any) return {};
  for (auto& member : facts.members) {
    if (!member.version.git) continue;
    MLOPS_ASSIGN(member.provenance, fact_of(connection, *member.version.git, repositories));
  }
  return {};
}

const GitRemoteConfig* Provenance::config_of(const std::string& url_key) const {
  for (const auto& config : remotes_.options().repositories) {
    if (config.is_for(GitUse::kProvenance) && git::normalised_url(config.remote.url) == url_key) return &config;
  }
  return nullptr;
}

Status Provenance::prepare(const std::vector<std::string>& refs) {
  if (remotes_.options().repositories.empty()) return {};
  using Versions = std::vector<model::Version>;
  MLOPS_ASSIGN(const auto versions, store_.read<Versions>([&](sql::Connection& connection) -> Result<Versions> {
    Versions out;
    for (const auto& ref : refs) {
      const auto reference = model::parse_version_reference(ref);
      if (!reference) continue;
      auto version = meta::resolve(connection, *reference);
      if (version) out.push_back(std::move(*version));
    }
    return out;
  }));
  return prepare_versions(versions);
}

Status Provenance::prepare_plan(const std::string& plan_id) {
  if (remotes_.options().repositories.empty()) return {};
  using Versions = std::vector<model::Version>;
  MLOPS_ASSIGN(const auto versions, store_.read<Versions>([&](sql::Connection& connection) -> Result<Versions> {
    Versions out;
    const auto plan = meta::find_plan(connection, plan_id);
    if (!plan) return out;
    MLOPS_ASSIGN(const auto body, parse_json(plan->body));
    const auto members = body.find("members");
    if (members == body.end() || !members->is_array()) return out;
    for (const auto& member : *members) {
      if (!member.is_object()) continue;
      auto version = meta::get_version(connection, member.value("version_id", std::string()));
      if (version) out.push_back(std::move(*version));
    }
    return out;
  }));
  return prepare_versions(versions);
}

Status Provenance::prepare_versions(const std::vector<model::Version>& versions) {
  std::map<std::string, Commits> wanted;
  for (const auto& version : versions) {
    if (version.git) wanted[git::normalised_url(version.git->remote)].insert(version.git->commit);
  }
  for (const auto& [key, commits] : wanted) MLOPS_TRY(look_up(key, commits));
  return {};
}

Result<meta::CodeFactRow> Provenance::ask(git::GitRepository& repository, const std::string& url_key,
                                          const std::string& commit, bool answered) {
  meta::CodeFactRow row{url_key, commit, std::string(kUnreachable), "[]", store_.now_us()};
  if (!answered) return row;
  MLOPS_ASSIGN(const auto branches, repository.branches_with(commit));
  bool found = !branches.empty();
  if (!found) {
    MLOPS_ASSIGN(found, repository.is_reachable(commit));
  }
  row.state = found ? kFound : kMissing;
  row.branches = canonical_dump(Json(branches));
  return row;
}

// REQUIRES: the mutex is held. Whether nothing moved since it was asked before.
Result<bool> Provenance::fetch(git::GitRepository& repository, Asked& asked) {
  const auto fetched = repository.fetch();
  if (!fetched) {
    log::warn("git_fetch_failed", {{"repository", std::string_view(repository.remote().name)},
                                   {"slug", std::string_view(fetched.error().slug)}});
  }
  MLOPS_ASSIGN(auto state, repository.state());
  const bool is_same = fetched && asked.answered && asked.state == state;
  asked = {store_.now_us(), fetched.has_value(), std::move(state)};
  return is_same;
}

// REQUIRES: the mutex is held.
Status Provenance::write_down(git::GitRepository& repository, const std::string& url_key, const Commits& commits,
                              bool answered) {
  std::vector<meta::CodeFactRow> rows;
  for (const auto& commit : commits) {
    MLOPS_ASSIGN(auto row, ask(repository, url_key, commit, answered));
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return {};
  return store_
      .write<bool>(daemon_actor(), meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     for (const auto& row : rows) MLOPS_TRY(meta::put_code_fact(tx, row));
                     return true;
                   })
      .map([](bool) {});
}

Status Provenance::look_up(const std::string& url_key, const Commits& commits) {
  const auto* config = config_of(url_key);
  if (!config) return {};
  const std::lock_guard lock(mutex_);  // one asks, the others find it asked
  auto& asked = asked_[url_key];
  const auto now_us = store_.now_us();
  const bool is_fresh = asked.at_us != 0 && now_us - asked.at_us < remotes_.options().refresh_s * 1'000'000;
  Commits open;
  MLOPS_TRY(store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    for (const auto& commit : commits) {
      MLOPS_ASSIGN(const auto row, meta::find_code_fact(connection, url_key, commit));
      const bool known = row && (row->state == kFound || now_us - row->seen_at_us < kMissingAgainUs);
      if (!is_fresh || !known) open.insert(commit);
    }
    return true;
  }));
  if (open.empty()) return {};
  MLOPS_ASSIGN(auto* repository, remotes_.repository(config->remote.name, GitUse::kProvenance));
  MLOPS_TRY(fetch(*repository, asked));
  return write_down(*repository, url_key, open, asked.answered);
}

// In parts, so that nobody who plans waits for all of it.
Status Provenance::make_sure(const std::string& url_key, Commits commits) {
  const auto* config = config_of(url_key);
  if (!config) return {};
  MLOPS_ASSIGN(auto* repository, remotes_.repository(config->remote.name, GitUse::kProvenance));
  bool is_same = false;
  bool answered = false;
  {
    const std::lock_guard lock(mutex_);
    auto& asked = asked_[url_key];
    MLOPS_ASSIGN(is_same, fetch(*repository, asked));
    answered = asked.answered;
  }
  if (is_same) {
    MLOPS_ASSIGN(const auto rows, store_.read<std::vector<meta::CodeFactRow>>([&](sql::Connection& connection) {
      return meta::code_facts_of(connection, url_key);
    }));
    for (const auto& row : rows) {
      if (row.state == kFound) commits.erase(row.commit);  // its branches are where they were
    }
  }
  while (!commits.empty()) {
    Commits part;
    while (!commits.empty() && part.size() < kPartMax) part.insert(commits.extract(commits.begin()));
    const std::lock_guard lock(mutex_);
    MLOPS_TRY(write_down(*repository, url_key, part, answered));
  }
  return {};
}

void Provenance::refresh() {
  std::map<std::string, Commits> wanted;
  auto read = store_.read<bool>(
      [&](sql::Connection& connection) -> Result<bool> {
        MLOPS_ASSIGN(const auto origins, meta::origins_since(connection, newest_version_us_));
        for (const auto& text : origins.git) {
          const auto git = parse_json(text);
          if (!git || !git->is_object() || !git->contains("remote") || !git->contains("commit")) continue;
          wanted[git::normalised_url((*git)["remote"].get<std::string>())].insert((*git)["commit"].get<std::string>());
        }
        newest_version_us_ = origins.newest_us;
        for (const auto& config : remotes_.options().repositories) {
          const auto key = git::normalised_url(config.remote.url);
          MLOPS_ASSIGN(const auto rows, meta::code_facts_of(connection, key));
          for (const auto& row : rows) wanted[key].insert(row.commit);
        }
        return true;
      },
      meta::Patience::kLong);
  if (!read) return log::warn("git_refresh_failed", {{"slug", std::string_view(read.error().slug)}});
  for (const auto& [key, commits] : wanted) {
    if (auto done = make_sure(key, commits); !done) {
      log::warn("git_refresh_failed", {{"slug", std::string_view(done.error().slug)}});
    }
  }
}

}  // namespace mlops::domain
