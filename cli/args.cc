#include "cli/args.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "cli/help.h"
#include "cli/tokens.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

using Words = std::vector<std::string>;

bool asks_for(const std::vector<Option>& options, const Words& arguments, std::string_view key) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto token = classify(options, arguments, i);
    if (token.kind == Token::Kind::kEnd) return false;
    if (token.kind == Token::Kind::kOption && option_key(*token.option) == key) return true;
    if (token.separate_value) ++i;
  }
  return false;
}

std::string see_help(const Command& command) {
  return fmt::format("usage: {}; more: mlopsctl {} --help", usage_line(command), command.path);
}

Failure unknown_option(const std::vector<Option>& options, const std::string& word, const std::string& where,
                       const std::string& hint) {
  const std::string spelling = word.starts_with("--") ? word.substr(0, word.find('=')) : word;
  std::vector<std::string> known;
  for (const auto& option : options) {
    for (const auto& each : option_spellings(option)) {
      if (each.starts_with("--")) known.push_back(each);
    }
  }
  const auto near = nearest_word(spelling, known);
  const auto question = near ? fmt::format("; did you mean {}?", *near) : std::string();
  return fail(ErrorCode::kInvalid, "unknown_option",
              fmt::format("unknown option {}{}{}", printable(spelling), where, question), hint);
}

Failure missing_value(const Option& option, const std::string& why, const Command& command) {
  return fail(ErrorCode::kInvalid, "missing_value",
              fmt::format("option {} needs a value ({}){}", option_key(option), option.value_name, why),
              see_help(command));
}

Status check_choice(const std::vector<std::string_view>& choices, const std::string& value, std::string_view what) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  const Words known(choices.begin(), choices.end());
  const auto near = nearest_word(value, known);
  return fail(ErrorCode::kInvalid, "bad_choice",
              fmt::format("{} must be one of {}, not '{}'{}", what, join(known, ", "), printable(value),
                          near ? fmt::format("; did you mean '{}'?", *near) : std::string()));
}

// One CLI11 parser for one row. Own code reads its results, checks them and words the errors.
class RowParser {
 public:
  explicit RowParser(const Command& command) : command_(command), options_(effective_options(command)) {}

  const std::vector<Option>& options() const { return options_; }
  Result<ParsedWords> parse(Words words);

 private:
  Status check_before_parsing(const Words& words) const;
  Status run_parser(CLI::App& app, Words words) const;
  Status collect(const CLI::App& app, ParsedWords& parsed) const;
  Status check_operands(const Words& operands) const;

  const Command& command_;
  const std::vector<Option> options_;
};

// CLI11 would take "--reason" as the value of "--to" in `--to --reason x`: that is a forgotten value.
Status RowParser::check_before_parsing(const Words& words) const {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto token = classify(options_, words, i);
    if (token.kind == Token::Kind::kEnd) break;
    if (token.kind == Token::Kind::kOption && is_flag(*token.option) && words[i].find('=') != std::string::npos) {
      return fail(ErrorCode::kInvalid, "bad_flag", fmt::format("option {} takes no value", option_key(*token.option)),
                  see_help(command_));
    }
    if (token.kind != Token::Kind::kOption || is_flag(*token.option)) continue;
    if (!token.value) return missing_value(*token.option, "", command_);
    if (!token.separate_value) continue;
    if (*token.value == "--" || (token.value->starts_with("--") && find_spelling(options_, *token.value) != nullptr)) {
      return missing_value(*token.option, fmt::format(", but {} follows", *token.value), command_);
    }
    ++i;
  }
  return {};
}

Status RowParser::run_parser(CLI::App& app, Words words) const {
  app.set_help_flag("");
  app.allow_extras(true);
  for (const auto& option : options_) {
    const std::string name(option.name);
    if (is_flag(option)) {
      app.add_flag(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      app.add_option(name)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::Error& error) {
    return fail(ErrorCode::kInvalid, "bad_arguments", printable(error.what()), see_help(command_));
  }
  return {};
}

Status RowParser::collect(const CLI::App& app, ParsedWords& parsed) const {
  for (const auto& option : options_) {
    const auto key = option_key(option);
    const auto* found = app.get_option(key);
    if (found->count() == 0) continue;
    if (is_flag(option)) {
      parsed.values[key] = {"true"};
      continue;
    }
    const auto& results = found->results();
    if (results.size() > 1 && !option.repeated) {
      return fail(ErrorCode::kInvalid, "repeated_option",
                  fmt::format("option {} is given {} times; it takes one value", key, results.size()),
                  see_help(command_));
    }
    for (const auto& value : results) MLOPS_TRY(check_choice(option.choices, value, "option " + key));
    parsed.values[key] = results;
  }
  return {};
}

Status RowParser::check_operands(const Words& operands) const {
  const auto& declared = command_.operands;
  for (std::size_t i = operands.size(); i < declared.size(); ++i) {
    if (!declared[i].required) continue;
    return fail(ErrorCode::kInvalid, "missing_operand",
                fmt::format("{} is missing: {}", declared[i].name, declared[i].help), see_help(command_));
  }
  const bool open_ended = !declared.empty() && declared.back().repeated;
  if (operands.size() > declared.size() && !open_ended) {
    return fail(ErrorCode::kInvalid, "extra_operand",
                fmt::format("unexpected word '{}'", printable(operands[declared.size()])), see_help(command_));
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& row = declared[std::min(i, declared.size() - 1)];
    if (operands[i].empty()) {
      return fail(ErrorCode::kInvalid, "missing_operand", fmt::format("{} is empty", row.name), see_help(command_));
    }
    MLOPS_TRY(check_choice(row.choices, operands[i], row.name));
  }
  return {};
}

Result<ParsedWords> RowParser::parse(Words words) {
  MLOPS_TRY(check_before_parsing(words));
  Words before_end, after_end;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto token = classify(options_, words, i);
    if (token.kind == Token::Kind::kEnd) {
      after_end.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (!token.value) {
      before_end.push_back(std::move(words[i]));
      continue;
    }
    // Two words in every case: CLI11 takes "--to=" for an option without a value.
    before_end.push_back(option_key(*token.option));
    before_end.push_back(*token.value);
    if (token.separate_value) ++i;
  }
  CLI::App app;
  MLOPS_TRY(run_parser(app, std::move(before_end)));
  ParsedWords parsed;
  for (auto& word : app.remaining()) {
    if (looks_like_option(word)) {
      return unknown_option(options_, word, fmt::format(" of '{}'", command_.path), see_help(command_));
    }
    parsed.operands.push_back(std::move(word));
  }
  parsed.operands.insert(parsed.operands.end(), after_end.begin(), after_end.end());
  MLOPS_TRY(collect(app, parsed));
  MLOPS_TRY(check_operands(parsed.operands));
  return parsed;
}

Result<Invocation> without_command(const CommandTable& table, const Head& head, const Words& arguments) {
  const bool help = asks_for(global_options(), arguments, "--help");
  const bool is_group = !head.words.empty() && !table.below(head.words.front()).empty();
  if (help && (head.words.empty() || is_group)) {
    Invocation invocation{.kind = Invocation::Kind::kHelp};
    if (is_group) invocation.topic = head.words.front();
    return invocation;
  }
  if (head.words.empty() || (is_group && head.words.size() == 1)) {
    if (head.unknown_option == "--version" && head.words.empty()) return Invocation{.kind = Invocation::Kind::kVersion};
    if (head.unknown_option) {
      return unknown_option(global_options(), *head.unknown_option, " before a command",
                            "the options of a command come after its words; see mlopsctl help");
    }
    return Invocation{.kind = Invocation::Kind::kUsageHelp, .topic = head.words.empty() ? "" : head.words.front()};
  }
  const std::string named =
      join(is_group && head.words.size() > 1 ? Words{head.words[0], head.words[1]} : Words{head.words[0]}, " ");
  const auto near = table.suggestion(head.words);
  const auto question = near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
  return fail(ErrorCode::kInvalid, "unknown_command", fmt::format("unknown command '{}'{}", printable(named), question),
              is_group ? fmt::format("see mlopsctl help {}", head.words.front()) : "see mlopsctl help");
}

}  // namespace

ParsedWords scan_globals(const std::vector<std::string>& arguments) {
  ParsedWords parsed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto token = classify(global_options(), arguments, i);
    if (token.kind == Token::Kind::kEnd) break;
    if (token.kind != Token::Kind::kOption) continue;
    const auto key = option_key(*token.option);
    if (is_flag(*token.option)) {
      parsed.values[key] = {"true"};
    } else if (token.value && check_choice(token.option->choices, *token.value, key)) {
      parsed.values[key] = {*token.value};
    }
    if (token.separate_value) ++i;
  }
  return parsed;
}

Result<Invocation> parse_arguments(const CommandTable& table, const std::vector<std::string>& arguments) {
  const auto head = read_head(arguments);
  const Command* command = table.find_longest(head.words);
  if (command == nullptr) return without_command(table, head, arguments);

  Words rest = arguments;
  const auto path_words = split(command->path, ' ').size();
  for (std::size_t i = path_words; i-- > 0;) {
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(head.indices[i]));
  }
  RowParser parser(*command);
  if (asks_for(parser.options(), rest, "--help")) {
    return Invocation{.kind = Invocation::Kind::kHelp, .command = command, .topic = std::string(command->path)};
  }
  MLOPS_ASSIGN(auto words, parser.parse(std::move(rest)));
  return Invocation{.kind = Invocation::Kind::kRun, .command = command, .words = std::move(words)};
}

}  // namespace mlops::cli
