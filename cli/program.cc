#include "cli/program.h"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>

#include "cli/builtin.h"
#include "cli/exit_code.h"
#include "cli/help.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kCompleteWord = "__complete";

// A session for what goes wrong before a command is chosen.
int fail_early(const Surroundings& surroundings, const ParsedWords& globals, const Presentation& presentation,
               const Error& error) {
  return TerminalSession(surroundings, nullptr, globals, presentation).fail(error);
}

int show_help(const Surroundings& surroundings, const ParsedWords& globals, const Presentation& presentation,
              const Invocation& invocation) {
  ParsedWords words = globals;
  if (!invocation.topic.empty()) words.operands = {invocation.topic};
  TerminalSession session(surroundings, &kHelpCommand, std::move(words), presentation);
  return kHelpCommand.run(session);
}

// Without a command there is nothing to do: the help goes to stderr, where a script that expects data does not see it.
int show_usage(const Surroundings& surroundings, const Invocation& invocation) {
  const auto& terminal = surroundings.terminal;
  write_text(terminal.err, invocation.topic.empty()
                               ? program_help(surroundings.table, terminal.err_width)
                               : group_help(surroundings.table, invocation.topic, terminal.err_width));
  return kExitUsage;
}

int complete_words(const Surroundings& surroundings, std::vector<std::string> words) {
  words.erase(words.begin());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  Presentation presentation;
  presentation.quiet = true;
  TerminalSession session(surroundings, nullptr, scan_globals(words), presentation);
  const int exit = run_complete(session, words);
  (void)flush_all(surroundings.terminal.out);
  std::_Exit(exit);  // a lookup that ran out of time is still waiting in its thread
}

int run_command(const Surroundings& surroundings, const Presentation& presentation, Invocation invocation) {
  const auto* command = invocation.command;
  TerminalSession session(surroundings, command, std::move(invocation.words), presentation);
  if (const auto prepared = session.prepare(); !prepared) return session.fail(prepared.error());
  try {
    return command->run(session);
  } catch (const std::exception& error) {
    return session.fail({ErrorCode::kInternal, "defect",
                         fmt::format("{} met a defect: {}", command->path, error.what()),
                         "please report it with the command line and both versions", ""});
  }
}

int dispatch(const Surroundings& surroundings, const std::vector<std::string>& arguments) {
  const auto globals = scan_globals(arguments);
  auto presentation = resolve_presentation(globals, surroundings.variables);
  if (!presentation) return fail_early(surroundings, globals, {}, presentation.error());
  auto invocation = parse_arguments(surroundings.table, arguments);
  if (!invocation) return fail_early(surroundings, globals, *presentation, invocation.error());
  switch (invocation->kind) {
    case Invocation::Kind::kHelp:
      return show_help(surroundings, globals, *presentation, *invocation);
    case Invocation::Kind::kUsageHelp:
      return show_usage(surroundings, *invocation);
    case Invocation::Kind::kVersion: {
      ParsedWords words = globals;
      words.values["--client"] = {"true"};
      TerminalSession session(surroundings, &kVersionCommand, std::move(words), *presentation);
      return run_version(session);
    }
    case Invocation::Kind::kRun:
      break;
  }
  presentation = resolve_presentation(invocation->words, surroundings.variables);
  if (!presentation) return fail_early(surroundings, globals, {}, presentation.error());
  return run_command(surroundings, *presentation, std::move(*invocation));
}

}  // namespace

int run_program(const Surroundings& surroundings, const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == kCompleteWord) return complete_words(surroundings, arguments);
  const int exit = dispatch(surroundings, arguments);
  if (flush_all(surroundings.terminal.out)) return exit;
  write_text(surroundings.terminal.err, "error: the output could not be written (is the disk full?)\n");
  return exit == kExitDone ? kExitFailed : exit;
}

}  // namespace mlops::cli
