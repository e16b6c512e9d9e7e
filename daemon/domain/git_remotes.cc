#include "daemon/domain/git_remotes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/env.h"
#include "core/base/text.h"
#include "daemon/domain/identity.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kUseWords[] = {"policies", "gitops", "provenance"};
constexpr std::size_t kFingerprintBytes = 16;

Status write_rows(meta::Store& store, const GitOptions& options) {
  std::vector<meta::GitRepositoryRow> rows;
  for (const auto& config : options.repositories) {
    std::vector<std::string> words;
    for (const auto use : config.uses) words.emplace_back(to_word(use));
    rows.push_back({config.remote.name, git::normalised_url(config.remote.url), config.branch, join(words, " ")});
  }
  return store
      .write<bool>(daemon_actor(), meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     MLOPS_TRY(meta::replace_git_repositories(tx, rows));
                     return true;
                   })
      .map([](bool) {});
}

}  // namespace

std::string_view to_word(GitUse use) {
  return kUseWords[static_cast<std::size_t>(use)];
}

std::optional<GitUse> git_use_from_word(std::string_view word) {
  for (const auto use : {GitUse::kPolicies, GitUse::kGitops, GitUse::kProvenance}) {
    if (to_word(use) == word) return use;
  }
  return std::nullopt;
}

bool GitRemoteConfig::is_for(GitUse use) const {
  return std::find(uses.begin(), uses.end(), use) != uses.end();
}

Result<std::unique_ptr<GitRemotes>> GitRemotes::open(meta::Store& store, GitOptions options) {
  if (!options.ca_file.empty()) MLOPS_TRY(git::trust(options.ca_file));
  std::unique_ptr<GitRemotes> remotes(new GitRemotes(std::move(options)));
  if (!remotes->options_.repositories.empty()) MLOPS_TRY(posix_env().make_dir(remotes->options_.folder));
  for (const auto& config : remotes->options_.repositories) {
    const auto& name = config.remote.name;
    MLOPS_ASSIGN(remotes->mirrors_[name],
                 git::GitRepository::open(remotes->options_.folder + "/" + name + ".git", config.remote));
  }
  MLOPS_TRY(write_rows(store, remotes->options_));
  return remotes;
}

const GitRemoteConfig* GitRemotes::find(const std::string& name) const {
  for (const auto& config : options_.repositories) {
    if (config.remote.name == name) return &config;
  }
  return nullptr;
}

Result<git::GitRepository*> GitRemotes::repository(const std::string& name, GitUse use) const {
  const auto* config = find(name);
  if (!config) {
    std::vector<std::string> names;
    for (const auto& one : options_.repositories) names.push_back(one.remote.name);
    const auto near = nearest_word(name, names);
    return fail(ErrorCode::kNotFound, "repository_unknown",
                fmt::format("mlopsd is not configured with a git repository \"{}\"", printable(name)),
                near            ? fmt::format("did you mean \"{}\"?", *near)
                : names.empty() ? "name a file with them in git.repositories_file"
                                : "known: " + join(names, ", "));
  }
  if (!config->is_for(use)) {
    return fail(ErrorCode::kRefused, "repository_not_for",
                fmt::format("the git repository {} is not configured for {}", name, to_word(use)),
                fmt::format("add {} to its `use` in mlopsd's repositories file", to_word(use)));
  }
  return mirrors_.at(name).get();
}

std::string GitRemotes::fingerprint(std::string_view person) const {
  const auto mac = crypto::hmac_sha256(options_.person_key.view(), "git person:" + to_lower_ascii(trim(person)));
  return to_hex(ByteView(mac.data(), kFingerprintBytes));
}

}  // namespace mlops::domain
