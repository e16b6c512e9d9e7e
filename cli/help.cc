#include "cli/help.h"

#include <fmt/format.h>

#include "cli/args.h"
#include "cli/exit_code.h"
#include "cli/layout.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

void append(std::string& text, const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    text += line;
    text += '\n';
  }
}

void section(std::string& text, std::string_view heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  if (!text.empty()) text += '\n';
  text += heading;
  text += '\n';
  append(text, lines);
}

std::vector<std::string> command_lines(const std::vector<const Command*>& commands, std::size_t width) {
  Rows rows;
  for (const auto* command : commands) rows.emplace_back(command->path, command->summary);
  return two_columns(rows, width);
}

std::vector<std::string> option_lines(const std::vector<Option>& options, std::size_t width) {
  Rows rows;
  for (const auto& option : options) rows.emplace_back(option_term(option), option_text(option));
  return two_columns(rows, width);
}

std::vector<std::string> exit_lines(std::size_t width) {
  Rows rows;
  for (const auto& row : exit_code_rows()) rows.emplace_back(fmt::format("{}", int(row.code)), row.meaning);
  return two_columns(rows, width);
}

// The row's own options first; -o is among them only when the row says it has data to format.
std::vector<Option> own_options(const Command& command) {
  const auto all = effective_options(command);
  const auto globals = global_options().size();
  std::size_t own = command.options.size();
  if (command.shared & kDryRun) ++own;
  if (command.shared & kAsOf) ++own;
  std::vector<Option> options(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own));
  for (std::size_t i = own; i < all.size() && globals > 0; ++i) {
    if ((command.shared & kOutput) && option_key(all[i]) == "--output") options.push_back(all[i]);
  }
  return options;
}

std::string with_choices(std::string_view help, const std::vector<std::string_view>& choices) {
  std::string text(help);
  if (choices.empty() || text.find(choices.front()) != std::string::npos) return text;
  const std::vector<std::string> words(choices.begin(), choices.end());
  return fmt::format("{} ({})", text, join(words, ", "));
}

}  // namespace

std::string usage_line(const Command& command) {
  std::string line = fmt::format("mlopsctl {}", command.path);
  for (const auto& operand : command.operands) {
    const auto word = fmt::format("{}{}", operand.name, operand.repeated ? "..." : "");
    line += operand.required ? " " + word : " [" + word + "]";
  }
  return line + " [OPTION]...";
}

std::string option_term(const Option& option) {
  const auto term = join(option_spellings(option), ", ");
  return is_flag(option) ? term : fmt::format("{} {}", term, option.value_name);
}

std::string option_text(const Option& option) {
  auto text = with_choices(option.help, option.choices);
  if (option.repeated && text.find("repeat") == std::string::npos) text += "; repeatable";
  return text;
}

std::string operand_text(const Operand& operand) {
  return with_choices(operand.help, operand.choices);
}

const std::vector<std::pair<std::string, std::string>>& environment_variables() {
  static const Rows kRows = {
      {"MLOPS_SERVER", "as --server"},
      {"MLOPS_CONTEXT", "as --context"},
      {"MLOPS_TOKEN", "the token itself"},
      {"MLOPS_TOKEN_FILE", "as --token-file"},
      {"MLOPS_CA_FILE", "as --ca-file"},
      {"MLOPS_OUTPUT", "as --output"},
      {"NO_COLOR, CLICOLOR_FORCE", "no colour at all; colour also into a pipe"},
      {"XDG_CONFIG_HOME", "where mlops/config.yaml with the contexts is (default ~/.config)"},
  };
  return kRows;
}

std::string program_help(const CommandTable& table, std::size_t width) {
  std::string text;
  append(text,
         wrap("mlopsctl: register, mask, promote, roll back, trace and audit models and datasets on a mlopsd server.",
              width));
  text += "\nusage: mlopsctl COMMAND [WORD]... [OPTION]...\n";
  for (const auto group : table.groups()) {
    std::vector<const Command*> members;
    for (const auto* row : table.rows()) {
      if (row->group == group) members.push_back(row);
    }
    section(text, group, command_lines(members, width));
  }
  section(text, "Options of every command", option_lines(global_options(), width));
  section(text, "Environment", two_columns(environment_variables(), width));
  section(text, "Exit status", exit_lines(width));
  text += "\nmlopsctl help COMMAND tells more about one command.\n";
  return text;
}

std::string group_help(const CommandTable& table, std::string_view prefix, std::size_t width) {
  std::string text = fmt::format("usage: mlopsctl {} COMMAND [WORD]... [OPTION]...\n", prefix);
  section(text, "Commands", command_lines(table.below(prefix), width));
  text += fmt::format("\nmlopsctl help {} COMMAND tells more about one command.\n", prefix);
  return text;
}

std::string command_help(const Command& command, std::size_t width) {
  std::string text;
  append(text, wrap(fmt::format("mlopsctl {}: {}", command.path, command.summary), width));
  text += fmt::format("\nusage: {}\n", usage_line(command));
  Rows operands;
  for (const auto& operand : command.operands) operands.emplace_back(operand.name, operand_text(operand));
  section(text, "Words", two_columns(operands, width));
  section(text, "Options", option_lines(own_options(command), width));
  const auto prose = wrap_prose(command.description, width);
  if (!prose.empty()) {
    text += '\n';
    append(text, prose);
  }
  section(text, "Exit status", exit_lines(width));
  text += "\nOptions of every command: mlopsctl help\n";
  return text;
}

}  // namespace mlops::cli
