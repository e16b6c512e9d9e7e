// The tool's own commands, one definition per family's file; cli/builtin.cc puts them in order. Thread-safety:
// constants.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace mlops::cli {

extern const Command kLoginCommand;
extern const Command kContextListCommand;
extern const Command kContextShowCommand;
extern const Command kContextUseCommand;
extern const Command kContextAddCommand;
extern const Command kContextRemoveCommand;
extern const Command kApiCommand;
extern const Command kHelpCommand;
extern const Command kCompletionCommand;
extern const Command kManCommand;
extern const Command kVersionCommand;

// Both are asked for by options as well (--help, --version).
int run_version(Session& session);
// Answers `mlopsctl __complete -- WORD…`; ends within its budget even when the server does not answer.
int run_complete(Session& session, const std::vector<std::string>& words);

}  // namespace mlops::cli
