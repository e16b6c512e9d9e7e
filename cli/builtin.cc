#include "cli/builtin.h"

#include "cli/commands.h"

namespace mlops::cli {

const std::vector<const Command*>& builtin_commands() {
  static const std::vector<const Command*> kAll = {
      &kLoginCommand,      &kContextListCommand,   &kContextShowCommand, &kContextUseCommand,
      &kContextAddCommand, &kContextRemoveCommand, &kApiCommand,         &kHelpCommand,
      &kCompletionCommand, &kManCommand,           &kVersionCommand,
  };
  return kAll;
}

}  // namespace mlops::cli
