#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/args.h"
#include "cli/tokens.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 7> kRoles{"viewer", "ci", "release", "oncall", "approver", "auditor", "admin"};

void add_matching(Completions& found, std::string_view prefix, std::string_view value, std::string_view description) {
  if (!value.starts_with(prefix)) return;
  const auto same = [&](const Candidate& candidate) { return candidate.value == value; };
  if (std::any_of(found.candidates.begin(), found.candidates.end(), same)) return;
  found.candidates.push_back({std::string(value), std::string(description)});
}

// The next word of every path that begins with `head`.
void add_command_words(Completions& found, const CommandTable& table, const Words& head, std::string_view prefix) {
  const std::string start = head.empty() ? std::string() : join(head, " ") + " ";
  for (const auto* row : table.rows()) {
    if (!row->path.starts_with(start)) continue;
    const auto rest = row->path.substr(start.size());
    const auto word = rest.substr(0, rest.find(' '));
    add_matching(found, prefix, word, word == rest ? row->summary : std::string_view("several commands"));
  }
}

void add_options(Completions& found, const std::vector<Option>& options, std::string_view prefix) {
  for (const auto& option : options) {
    for (const auto& spelling : option_spellings(option)) {
      // The short letters only when asked for, so that a lone "-" does not list everything twice.
      if (spelling.starts_with("--") || prefix == spelling) add_matching(found, prefix, spelling, option.help);
    }
  }
}

Completions complete_value(Complete kind, const std::vector<std::string_view>& choices, std::string_view prefix,
                           const Lookup& lookup) {
  Completions found;
  switch (kind) {
    case Complete::kNone:
      break;
    case Complete::kFile:
      found.rest = Completions::Rest::kFiles;
      break;
    case Complete::kDirectory:
      found.rest = Completions::Rest::kDirectories;
      break;
    case Complete::kChoice:
      for (const auto choice : choices) add_matching(found, prefix, choice, "");
      break;
    case Complete::kRole:
      for (const auto role : kRoles) add_matching(found, prefix, role, "");
      break;
    default:
      return lookup(kind, prefix);
  }
  return found;
}

// Where the cursor stands, as far as the words before it tell.
struct Position {
  const Option* awaiting = nullptr;  // an option whose value is being typed
  std::size_t operands = 0;          // words that are no options, the command's own included
  bool options_ended = false;
};

Position read_position(const std::vector<Option>& options, const Words& before) {
  Position position;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto token = position.options_ended ? Token{} : classify(options, before, i);
    if (token.kind == Token::Kind::kEnd) position.options_ended = true;
    if (token.kind == Token::Kind::kWord) ++position.operands;
    const bool takes_value = token.kind == Token::Kind::kOption && !is_flag(*token.option);
    if (takes_value && !token.value) position.awaiting = token.option;
    if (token.separate_value) ++i;
  }
  return position;
}

// "--to=pr": candidates keep the "--to=" in front.
Completions complete_attached(const std::vector<Option>& options, const std::string& word, const Lookup& lookup) {
  const auto equals = word.find('=');
  const auto* option = find_spelling(options, word.substr(0, equals));
  if (option == nullptr) return {};
  auto found = complete_value(option->complete, option->choices, word.substr(equals + 1), lookup);
  for (auto& candidate : found.candidates) candidate.value.insert(0, word.substr(0, equals + 1));
  return found;
}

Completions complete_operand(const Command& command, std::size_t index, std::string_view prefix, const Lookup& lookup) {
  const auto& operands = command.operands;
  if (operands.empty() || (index >= operands.size() && !operands.back().repeated)) return {};
  const auto& operand = operands[std::min(index, operands.size() - 1)];
  return complete_value(operand.complete, operand.choices, prefix, lookup);
}

}  // namespace

Completions complete(const CommandTable& table, const std::vector<std::string>& words, const Lookup& lookup) {
  const std::string current = words.empty() ? std::string() : words.back();
  const Words before(words.begin(), words.empty() ? words.end() : words.end() - 1);
  const auto head = read_head(before);
  const Command* command = table.find_longest(head.words);
  const auto options = command != nullptr ? effective_options(*command) : global_options();
  const auto position = read_position(options, before);

  if (position.awaiting != nullptr) {
    return complete_value(position.awaiting->complete, position.awaiting->choices, current, lookup);
  }
  Completions found;
  if (!position.options_ended && current.starts_with("-")) {
    if (current.starts_with("--") && current.find('=') != std::string::npos) {
      return complete_attached(options, current, lookup);
    }
    add_options(found, options, current);
    return found;
  }
  if (command != nullptr && command->path == "help") {
    add_command_words(found, table, {head.words.begin() + 1, head.words.end()}, current);
    return found;
  }
  if (command != nullptr) {
    const auto path_words = split(command->path, ' ').size();
    found = complete_operand(*command, position.operands - path_words, current, lookup);
  }
  add_command_words(found, table, head.words, current);
  return found;
}

std::string completion_lines(const Completions& completions) {
  std::string lines;
  for (const auto& candidate : completions.candidates) {
    lines += printable(candidate.value);
    if (!candidate.description.empty()) lines += "\t" + printable(candidate.description);
    lines += '\n';
  }
  switch (completions.rest) {
    case Completions::Rest::kNothing:
      lines += ":nothing";
      break;
    case Completions::Rest::kFiles:
      lines += ":files";
      break;
    case Completions::Rest::kDirectories:
      lines += ":dirs";
      break;
  }
  return lines + (completions.no_space ? "+nospace\n" : "\n");
}

}  // namespace mlops::cli
