// From the words of a command line to a row of the table and its values. The only CLI11 room.
//
// Two steps, so that nothing is built for commands that were not asked for: the first words choose the row, then a
// CLI11 parser is made of that row alone. Options stand in any order, before or after the command's words; `--` ends
// them. Errors are kInvalid with slugs "unknown_command", "unknown_option", "missing_operand", "extra_operand",
// "missing_value", "repeated_option", "bad_choice", "bad_flag"; messages say what was nearest.
// Thread-safety: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "core/base/result.h"

namespace mlops::cli {

// The options every command takes, in the order in which help shows them.
const std::vector<Option>& global_options();
// The row's own options, then those its `shared` bits bring (--dry-run, --as-of), then the global ones that it does not
// declare itself.
std::vector<Option> effective_options(const Command& command);

struct ParsedWords {
  std::vector<std::string> operands;
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // by option_key; a flag has the value "true"

  std::optional<std::string> last(std::string_view key) const;
  bool has(std::string_view key) const { return values.contains(key); }
};

struct Invocation {
  enum class Kind {
    kRun,        // `command` with `words`
    kHelp,       // help on `topic`: empty for the program, else the words of a command or of a group
    kUsageHelp,  // no command, or only the first word of several: help, but the command line is wrong
    kVersion,    // --version
  };
  Kind kind = Kind::kRun;
  const Command* command = nullptr;
  ParsedWords words;
  std::string topic;
};

// What could be read of the global options even when the rest is wrong, so that an error is printed as asked (-o json).
ParsedWords scan_globals(const std::vector<std::string>& arguments);

// `arguments` without the program's name.
Result<Invocation> parse_arguments(const CommandTable& table, const std::vector<std::string>& arguments);

}  // namespace mlops::cli
