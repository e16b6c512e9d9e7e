// The Git repositories of the configuration, each with its mirror in the data directory. Clients name them; nothing a
// client says becomes a URL, a path of this machine or a credential.
//
// Errors: kNotFound "repository_unknown"; kRefused "repository_not_for" (its `use` does not list what it is wanted
// for); those of git::GitRepository. Thread-safety: thread-safe. Ownership: the mirrors live as long as this.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/crypto/seal.h"
#include "storage/git/git_repository.h"
#include "storage/meta/git_rows.h"
#include "storage/meta/store.h"

namespace mlops::domain {

enum class GitUse { kPolicies, kGitops, kProvenance };
std::string_view to_word(GitUse use);  // "policies", "gitops", "provenance"
std::optional<GitUse> git_use_from_word(std::string_view word);

struct GitRemoteConfig {
  git::Remote remote;
  std::string branch = "main";
  std::vector<GitUse> uses;
  bool is_for(GitUse use) const;
};

struct GitOptions {
  std::string folder;  // of the mirrors
  std::vector<GitRemoteConfig> repositories;
  std::string author_name = "mlopsd";
  std::string author_email = "mlopsd@localhost";
  std::string ca_file;             // PEM; empty: the system's authorities
  std::int64_t refresh_s = 60;     // how old what is known about commits may be
  crypto::SecretBytes person_key;  // under which names of commit authors are kept as fingerprints
};

class GitRemotes {
 public:
  // Opens the mirrors and writes the rows that environments and facts are checked against.
  static Result<std::unique_ptr<GitRemotes>> open(meta::Store& store, GitOptions options);

  const GitOptions& options() const { return options_; }
  // The repository of that name, for that use.
  Result<git::GitRepository*> repository(const std::string& name, GitUse use) const;
  const GitRemoteConfig* find(const std::string& name) const;
  // A keyed fingerprint of a person's name or address, regardless of case.
  std::string fingerprint(std::string_view person) const;

 private:
  explicit GitRemotes(GitOptions options) : options_(std::move(options)) {}

  const GitOptions options_;
  std::map<std::string, std::unique_ptr<git::GitRepository>> mirrors_;
};

}  // namespace mlops::domain
