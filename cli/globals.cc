#include <algorithm>

#include "cli/args.h"

namespace mlops::cli {
namespace {

const Option kDryRunOption{.name = "--dry-run", .help = "check everything, change nothing"};
const Option kAsOfOption{
    .name = "--as-of", .value_name = "TIME", .help = "answer as of that time: RFC 3339, a date, \"2h ago\", yesterday"};

const Option kKnownAtOption{.name = "--known-at",
                            .value_name = "TIME",
                            .help = "only what had been recorded by that time, before later corrections"};

}  // namespace

const std::vector<Option>& global_options() {
  static const std::vector<Option> kGlobals = {
      {.name = "-o,--output",
       .value_name = "FORMAT",
       .help = "table, wide, json, yaml or name",
       .complete = Complete::kChoice,
       .choices = {"table", "wide", "json", "yaml", "name"}},
      {.name = "--server", .value_name = "URL", .help = "the daemon, e.g. http://127.0.0.1:8470"},
      {.name = "--context",
       .value_name = "NAME",
       .help = "a server and its token from the configuration",
       .complete = Complete::kContext},
      {.name = "--token-file",
       .value_name = "FILE",
       .help = "file that holds the token (mode 0600)",
       .complete = Complete::kFile},
      {.name = "--ca-file",
       .value_name = "FILE",
       .help = "certificates (PEM) to trust for TLS",
       .complete = Complete::kFile},
      {.name = "--timeout", .value_name = "TIME", .help = "longest silence of the server, e.g. 30s, 5m (default 30s)"},
      {.name = "--color",
       .value_name = "WHEN",
       .help = "auto, always or never",
       .complete = Complete::kChoice,
       .choices = {"auto", "always", "never"}},
      {.name = "--no-color", .help = "the same as --color never"},
      {.name = "-q,--quiet", .help = "only data and errors"},
      {.name = "-v,--verbose", .help = "tell each request and its request id"},
      {.name = "-h,--help", .help = "this help"},
  };
  return kGlobals;
}

std::vector<Option> effective_options(const Command& command) {
  std::vector<Option> options = command.options;
  if (command.shared & kDryRun) options.push_back(kDryRunOption);
  if (command.shared & kAsOf) options.insert(options.end(), {kAsOfOption, kKnownAtOption});
  std::vector<std::string> taken;
  for (const auto& option : options) {
    for (const auto& spelling : option_spellings(option)) taken.push_back(spelling);
  }
  const auto is_taken = [&](const std::string& spelling) {
    return std::find(taken.begin(), taken.end(), spelling) != taken.end();
  };
  for (auto global : global_options()) {
    if (is_taken(option_key(global))) continue;
    // A command that uses only the short letter for itself leaves the global's long form working.
    if (is_taken(option_spellings(global).front())) global.name = global.name.substr(global.name.find("--"));
    options.push_back(global);
  }
  return options;
}

std::optional<std::string> ParsedWords::last(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

}  // namespace mlops::cli
