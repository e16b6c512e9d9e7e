// What a commit of a policy source declares, and how that differs from what is in force. Reads only.
//
// Errors: kInvalid "policy_invalid", "environment_invalid", "yaml_…" with REPOSITORY.git@COMMIT:PATH:line:column;
// kConflict "owned_by_another"; those of git::GitRepository. Thread-safety: free functions and values.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/environment.h"
#include "policies/engine/policy.h"
#include "storage/git/git_repository.h"
#include "storage/meta/sources.h"

namespace mlops::domain {

struct SourceContent {
  struct PolicyText {
    policy::Policy policy;
    std::string path;
    std::string origin;
    std::string yaml;
  };
  std::vector<PolicyText> policies;
  std::vector<model::Environment> environments;
};

struct SourceChange {
  meta::RevisionKind kind = meta::RevisionKind::kPolicy;
  std::string name;
  std::string change;  // added, changed, adopted (the same text, until now from elsewhere), removed
  std::string path;
  std::string before;  // digests; empty: none
  std::string after;
};

// Every *.yaml and *.yml below the source's folder is a policy; the environments' file aside.
Result<SourceContent> read_source(git::GitRepository& repository, const meta::SourceRow& source,
                                  const std::string& commit);
// Policies first, each by name.
Result<std::vector<SourceChange>> changes_of(sql::Connection& connection, const meta::SourceRow& source,
                                             const SourceContent& content);
Json to_json(const SourceChange& change);
// Over the source, both commits and the changes, "sha256:…".
std::string source_plan_digest(const meta::SourceRow& source, const std::string& target,
                               const std::vector<SourceChange>& changes);

// Brings the changes into force and makes the source own what the commit declares. Errors: kRefused "still_used" when
// something that is to go is named or running; kInvalid "environment_invalid".
Status apply_source(meta::WriteTx& tx, const meta::SourceRow& source, const std::string& commit,
                    const SourceContent& content, const std::vector<SourceChange>& changes);

}  // namespace mlops::domain
