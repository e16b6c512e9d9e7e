// Help, made of the rows: of the program, of a group of commands ("env"), of one command. Plain text, wrapped.
// Thread-safety: pure functions. Units: width in columns.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace mlops::cli {

// "mlopsctl promote REF [OPTION]..."
std::string usage_line(const Command& command);
// "-o, --output FORMAT"
std::string option_term(const Option& option);
// An option's or operand's explanation with its choices.
std::string option_text(const Option& option);
std::string operand_text(const Operand& operand);
// Variables that mlopsctl reads, for help and the man page.
const std::vector<std::pair<std::string, std::string>>& environment_variables();

std::string program_help(const CommandTable& table, std::size_t width);
// REQUIRES: table.below(prefix) is not empty.
std::string group_help(const CommandTable& table, std::string_view prefix, std::size_t width);
std::string command_help(const Command& command, std::size_t width);

}  // namespace mlops::cli
