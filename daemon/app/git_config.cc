#include "daemon/app/git_config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/base/env.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/model/names.h"

namespace mlops::app {
namespace {

constexpr std::size_t kFileLimitBytes = 1u << 20;
constexpr std::size_t kCredentialLimitBytes = 64u << 10;
constexpr std::string_view kFile = "file:";

Failure bad(const YamlNode& node, const std::string& origin, const std::string& message, std::string hint = {}) {
  return fail(yaml_error(origin, node.mark, "bad_setting", message, std::move(hint)));
}

// A token's text, or a private key's place: libgit2 reads that file itself.
Status read_credential(const YamlNode& node, const std::string& origin, git::Remote& remote) {
  MLOPS_ASSIGN(const auto words, yaml_string(node, origin, "credential"));
  if (!words.starts_with(std::string(kFile) + "/")) {
    return bad(node, origin, "a credential is the place of a file", "credential: file:/etc/mlopsd/NAME.token");
  }
  const auto path = words.substr(kFile.size());
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return bad(node, origin, "the file of the credential is not there");
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::kDenied, "credential_exposed", fmt::format("{} can be read by others", path),
                fmt::format("chmod 600 {}", path));
  }
  MLOPS_ASSIGN(auto content, read_file(path, kCredentialLimitBytes));
  const auto text = trim(content);
  if (text.empty()) return bad(node, origin, "the file of the credential is empty");
  if (text.find("PRIVATE KEY") != text.npos) {
    remote.ssh_key_file = path;
  } else {
    remote.token = text;
  }
  crypto::wipe(content);
  return {};
}

Status read_uses(const YamlNode& node, const std::string& origin, domain::GitRemoteConfig& config) {
  MLOPS_ASSIGN(const auto words, yaml_strings(node, origin, "use"));
  for (const auto& word : words) {
    const auto use = domain::git_use_from_word(word);
    if (!use)
      return bad(node, origin, fmt::format("\"{}\" is no use of a repository", printable(word)),
                 "policies, gitops, provenance");
    config.uses.push_back(*use);
  }
  return {};
}

Result<domain::GitRemoteConfig> read_repository(const YamlNode& name, const YamlNode& node, const std::string& origin) {
  if (!node.is_map()) return bad(node, origin, "a repository is a map with `url` and `use`");
  MLOPS_TRY(yaml_only_known_keys(node, origin, {"url", "branch", "credential", "user", "use"}));
  domain::GitRemoteConfig config;
  config.remote.name = name.scalar;
  // It becomes a folder's name and part of citations.
  const bool plain = model::check_artifact_name(name.scalar) && name.scalar.find('/') == std::string::npos;
  if (!plain) return bad(name, origin, "a repository's name is of a-z, 0-9, '.', '_' and '-'");
  const auto* url = node.find("url");
  if (!url) return bad(node, origin, "`url` is missing");
  MLOPS_ASSIGN(config.remote.url, yaml_string(*url, origin, "url"));
  if (auto good = git::check_remote_url(config.remote.url); !good) {
    return bad(*url, origin, good.error().message, good.error().hint);
  }
  if (const auto* branch = node.find("branch")) {
    MLOPS_ASSIGN(config.branch, yaml_string(*branch, origin, "branch"));
    if (!model::check_file_path(config.branch)) return bad(*branch, origin, "that is no branch's name");
  }
  if (const auto* user = node.find("user")) {
    MLOPS_ASSIGN(config.remote.user, yaml_string(*user, origin, "user"));
  }
  if (const auto* credential = node.find("credential")) MLOPS_TRY(read_credential(*credential, origin, config.remote));
  const auto* use = node.find("use");
  if (!use) return bad(node, origin, "`use` is missing", "use: [policies, gitops, provenance], or some of them");
  MLOPS_TRY(read_uses(*use, origin, config));
  return config;
}

}  // namespace

Result<std::vector<domain::GitRemoteConfig>> load_git_repositories(const std::string& path, std::int64_t timeout_s) {
  std::vector<domain::GitRemoteConfig> out;
  if (path.empty()) return out;
  MLOPS_ASSIGN(const auto yaml, read_file(path, kFileLimitBytes));
  MLOPS_ASSIGN(const auto root, parse_yaml(yaml, path));
  if (root.is_null()) return out;
  if (!root.is_map()) return bad(root, path, "the file is a map with `repositories`");
  MLOPS_TRY(yaml_only_known_keys(root, path, {"repositories"}));
  const auto* list = root.find("repositories");
  if (!list || list->is_null()) return out;
  if (!list->is_map()) return bad(*list, path, "`repositories` is a map of name to repository");
  for (const auto& [name, node] : list->entries) {
    MLOPS_ASSIGN(auto config, read_repository(name, node, path));
    config.remote.timeout_s = timeout_s;
    out.push_back(std::move(config));
  }
  return out;
}

}  // namespace mlops::app
