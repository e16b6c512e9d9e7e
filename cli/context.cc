#include "cli/context.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/base/env.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kTokenLimitBytes = 4096;

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

Result<std::string> optional_scalar(const YamlNode& map, std::string_view key, const std::string& origin) {
  const auto* node = map.find(key);
  if (node == nullptr || node->is_null()) return std::string();
  return yaml_string(*node, origin, key);
}

Result<Context> read_context(const YamlNode& name, const YamlNode& node, const std::string& origin) {
  if (auto checked = check_context_name(name.scalar); !checked) {
    return fail(yaml_error(origin, name.mark, "bad_context_file", checked.error().message));
  }
  if (!node.is_map()) {
    return fail(yaml_error(origin, node.mark, "bad_context_file",
                           fmt::format("context {} must be a map with server and token_file", printable(name.scalar))));
  }
  MLOPS_TRY(yaml_only_known_keys(node, origin, {"server", "token_file", "ca"}));
  Context context{.name = name.scalar};
  MLOPS_ASSIGN(const auto server, optional_scalar(node, "server", origin));
  auto normal = normal_server_url(server);
  if (!normal) return fail(yaml_error(origin, node.mark, "bad_context_file", normal.error().message));
  context.server = *normal;
  MLOPS_ASSIGN(context.token_file, optional_scalar(node, "token_file", origin));
  MLOPS_ASSIGN(context.ca_file, optional_scalar(node, "ca", origin));
  return context;
}

Status make_directories(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const auto parent = std::filesystem::path(path).parent_path().string();
  if (!parent.empty() && parent != path) MLOPS_TRY(make_directories(parent));
  return posix_env().make_dir(path, 0700);
}

}  // namespace

const Context* ContextFile::find(std::string_view name) const {
  const auto found =
      std::find_if(contexts.begin(), contexts.end(), [&](const Context& context) { return context.name == name; });
  return found == contexts.end() ? nullptr : &*found;
}

void ContextFile::put(Context context) {
  for (auto& each : contexts) {
    if (each.name != context.name) continue;
    each = std::move(context);
    return;
  }
  contexts.push_back(std::move(context));
}

Status check_context_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_word_char) &&
                    name.front() != '.' && name.front() != '-' && name.front() != '_';
  if (good) return {};
  return fail(ErrorCode::kInvalid, "bad_context",
              fmt::format("'{}' is no name for a context", printable(name.substr(0, 80))),
              "1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit");
}

Result<std::string> normal_server_url(std::string_view url) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kInvalid, "bad_server",
                fmt::format("'{}' is no server address: {}", printable(url.substr(0, 200)), why),
                "for example http://127.0.0.1:8470 or https://mlops.example.org");
  };
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return bad("it must begin with http:// or https://");
  auto authority = url.substr(https ? 8 : 7);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.empty()) return bad("the host is missing");
  if (authority.find('@') != std::string_view::npos) return bad("it must not carry a user or a password");
  if (authority.find_first_of("/?# \t\\") != std::string_view::npos) return bad("nothing may follow the host and port");
  if (printable(authority) != authority) return bad("it holds a control character");
  return std::string(https ? "https://" : "http://") + std::string(authority);
}

Result<ContextFile> parse_contexts(std::string_view text, const std::string& origin) {
  MLOPS_ASSIGN(const auto root, parse_yaml(text, origin));
  ContextFile file;
  if (root.is_null()) return file;
  if (!root.is_map()) return fail(yaml_error(origin, root.mark, "bad_context_file", "must be a map"));
  MLOPS_TRY(yaml_only_known_keys(root, origin, {"current", "contexts"}));
  MLOPS_ASSIGN(file.current, optional_scalar(root, "current", origin));
  const auto* contexts = root.find("contexts");
  if (contexts != nullptr && !contexts->is_null()) {
    if (!contexts->is_map()) {
      return fail(yaml_error(origin, contexts->mark, "bad_context_file", "contexts must be a map of names"));
    }
    for (const auto& [name, node] : contexts->entries) {
      MLOPS_ASSIGN(auto context, read_context(name, node, origin));
      file.contexts.push_back(std::move(context));
    }
  }
  if (!file.current.empty() && file.find(file.current) == nullptr) {
    return fail(yaml_error(origin, root.find("current")->mark, "bad_context_file",
                           fmt::format("the current context '{}' is not among the contexts", printable(file.current))));
  }
  return file;
}

std::string contexts_to_yaml(const ContextFile& file) {
  Json contexts = Json::object();
  for (const auto& context : file.contexts) {
    Json entry = {{"server", context.server}};
    if (!context.token_file.empty()) entry["token_file"] = context.token_file;
    if (!context.ca_file.empty()) entry["ca"] = context.ca_file;
    contexts[context.name] = std::move(entry);
  }
  Json root = {{"contexts", std::move(contexts)}};
  if (!file.current.empty()) root["current"] = file.current;
  return json_to_yaml(root);
}

Result<std::string> config_directory(const Variables& variables) {
  const auto xdg = variables("XDG_CONFIG_HOME").value_or("");
  if (xdg.starts_with('/')) return xdg + "/mlops";
  const auto home = variables("HOME").value_or("");
  if (home.starts_with('/')) return home + "/.config/mlops";
  return fail(ErrorCode::kInvalid, "no_home", "neither XDG_CONFIG_HOME nor HOME names a directory",
              "set HOME, or pass --server and --token-file");
}

Result<ContextFile> load_contexts(const std::string& path) {
  auto text = read_file(path, 1u << 20);
  if (!text && text.error().code == ErrorCode::kNotFound) return ContextFile{};
  if (!text) return fail(std::move(text.error()));
  return parse_contexts(*text, path);
}

Status save_contexts(const std::string& path, const ContextFile& file) {
  MLOPS_TRY(make_directories(std::filesystem::path(path).parent_path().string()));
  return write_file_atomic(path, contexts_to_yaml(file), 0600);
}

Result<std::string> project_context(const std::string& directory) {
  for (std::filesystem::path folder(directory); !folder.empty(); folder = folder.parent_path()) {
    const auto path = (folder / ".mlops.yaml").string();
    auto text = read_file(path, 64u << 10);
    if (text) {
      MLOPS_ASSIGN(const auto root, parse_yaml(*text, path));
      if (root.is_null()) return std::string();
      if (!root.is_map()) return fail(yaml_error(path, root.mark, "bad_context_file", "must be a map"));
      MLOPS_TRY(yaml_only_known_keys(root, path, {"context"}));
      return optional_scalar(root, "context", path);
    }
    if (text.error().code != ErrorCode::kNotFound) return fail(std::move(text.error()));
    if (folder == folder.parent_path()) break;
  }
  return std::string();
}

Result<std::string> read_token_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorCode::kUnauthenticated, "token_file_missing",
                fmt::format("token file {}: {}", printable(path), std::strerror(errno)),
                "mlopsctl login --token-stdin writes one; mlopsctl context show tells where it is expected");
  }
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return fail(ErrorCode::kUnauthenticated, "token_file_exposed",
                fmt::format("token file {} is open to others (mode {:04o}); it is not used", printable(path),
                            status.st_mode & 07777u),
                fmt::format("chmod 600 {}; if others use this machine, revoke the token", printable(path)));
  }
  auto text = read_file(path, kTokenLimitBytes);
  if (!text) {
    return fail(ErrorCode::kUnauthenticated, "token_file_bad", text.error().message, "mlopsctl login --token-stdin");
  }
  const auto token = trim(*text);
  const bool good =
      !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!good) {
    return fail(ErrorCode::kUnauthenticated, "token_file_bad", fmt::format("{} holds no token", printable(path)),
                "mlopsctl login --token-stdin");
  }
  return std::string(token);
}

}  // namespace mlops::cli
