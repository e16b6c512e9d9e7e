// Contexts: named servers with their tokens, as kept in $XDG_CONFIG_HOME/mlops/config.yaml (docs/format/context.md).
//
// The daemon's first start writes the same file format. An absent file is an empty configuration, not an error.
// Errors: kInvalid "bad_context_file" with file:line:column, "bad_context"; those of Env.
// Thread-safety: pure functions and plain values; two writers of one file: the last one wins, never a torn file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/paint.h"
#include "core/base/result.h"

namespace mlops::cli {

struct Context {
  std::string name;
  std::string server;      // "http://127.0.0.1:8470"
  std::string token_file;  // may be empty
  std::string ca_file;     // may be empty
};

struct ContextFile {
  std::string current;  // may be empty
  std::vector<Context> contexts;

  // nullptr when there is none of that name.
  const Context* find(std::string_view name) const;
  // Adds, or replaces the one of the same name in its place.
  void put(Context context);
};

// Names of contexts: 1–64 of a-z A-Z 0-9 . _ -, beginning with a letter or digit.
Status check_context_name(std::string_view name);
// "http://" or "https://", a host, nothing behind the port but an optional "/". Gives it without the "/".
Result<std::string> normal_server_url(std::string_view url);

Result<ContextFile> parse_contexts(std::string_view text, const std::string& origin);
std::string contexts_to_yaml(const ContextFile& file);

// "$XDG_CONFIG_HOME/mlops" or "$HOME/.config/mlops"; a relative XDG_CONFIG_HOME is ignored, as its standard says.
// Errors: kInvalid "no_home".
Result<std::string> config_directory(const Variables& variables);
Result<ContextFile> load_contexts(const std::string& path);
// Makes the directory (0700) when needed and replaces the file (0600) atomically.
Status save_contexts(const std::string& path, const ContextFile& file);

// The context that the nearest `.mlops.yaml` in `directory` or above names; "" when there is none.
Result<std::string> project_context(const std::string& directory);

// The token in a file, without surrounding blanks. Errors: kUnauthenticated "token_file_missing",
// "token_file_exposed" (others can read it, or anyone else can write it), "token_file_bad".
Result<std::string> read_token_file(const std::string& path);

}  // namespace mlops::cli
