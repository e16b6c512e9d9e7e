// What is known about the commits that versions were made from: asked of the configured repositories beforehand, kept
// as rows, and read as rows when a decision collects its facts, so that no decision waits for a network.
//
// A repository is asked when what is known is older than the configured refresh, and when a commit is not known yet.
// One that does not answer makes its commits "unreachable" until it does. Errors: those of the store; a repository that
// does not answer is a fact, not an error. Thread-safety: thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/model/facts.h"
#include "daemon/domain/git_remotes.h"

namespace mlops::domain {

// Fills where members' commits stand, and which commit the environment's revision came from. Reads rows only.
Status add_provenance(sql::Connection& connection, const std::string& environment_revision_id,
                      model::PromotionFacts& facts);

class Provenance {
 public:
  Provenance(meta::Store& store, GitRemotes& remotes) : store_(store), remotes_(remotes) {}

  // Before a plan or a promotion: looks up what is not known of these versions' commits. References that lead nowhere
  // are left to whoever decides.
  Status prepare(const std::vector<std::string>& refs);
  Status prepare_plan(const std::string& plan_id);
  // All that is known is made sure of again, and the commits of newly registered versions are looked up.
  void refresh();

 private:
  struct Asked {
    TimestampUs at_us = 0;  // 0: never
    bool answered = false;
    std::string state;  // of the repository's branches then
  };
  using Commits = std::set<std::string>;

  Status prepare_versions(const std::vector<model::Version>& versions);
  Status look_up(const std::string& url_key, const Commits& commits);
  Status make_sure(const std::string& url_key, Commits commits);
  Result<bool> fetch(git::GitRepository& repository, Asked& asked);
  Status write_down(git::GitRepository& repository, const std::string& url_key, const Commits& commits, bool answered);
  Result<meta::CodeFactRow> ask(git::GitRepository& repository, const std::string& url_key, const std::string& commit,
                                bool answered);
  const GitRemoteConfig* config_of(const std::string& url_key) const;

  meta::Store& store_;
  GitRemotes& remotes_;
  std::mutex mutex_;
  std::map<std::string, Asked> asked_;  // by url key
  TimestampUs newest_version_us_ = 0;
};

}  // namespace mlops::domain
