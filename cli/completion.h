// Completion of a command line under way: from the table, and by `lookup` for names only the server or the
// configuration knows. Thread-safety: pure functions but for what `lookup` does.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/session.h"

namespace mlops::cli {

struct Candidate {
  std::string value;
  std::string description;  // may be empty
};

struct Completions {
  enum class Rest { kNothing, kFiles, kDirectories };
  std::vector<Candidate> candidates;
  Rest rest = Rest::kNothing;  // what the shell adds of its own
  bool no_space = false;       // the word goes on after a candidate ("name@")
};

// Names of a kind that begin with `prefix`.
using Lookup = std::function<Completions(Complete kind, std::string_view prefix)>;

// `words` are those after the program's name up to the cursor; the last one is being completed (may be empty).
Completions complete(const CommandTable& table, const std::vector<std::string>& words, const Lookup& lookup);
// Lines for the shell stubs: "value<TAB>description", then one of ":nothing", ":files", ":dirs", with "+nospace".
std::string completion_lines(const Completions& completions);

// Asks the server. Errors are no candidates: completion never disturbs typing.
Completions lookup_names(ApiClient& api, Complete kind, std::string_view prefix);

// The script for "bash", "zsh" or "fish"; empty for another word.
std::string_view completion_script(std::string_view shell);

}  // namespace mlops::cli
