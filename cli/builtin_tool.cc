// help, completion, man and version: what the tool says about itself.
#include <fmt/format.h>

#include <chrono>
#include <future>
#include <thread>

#include "cli/builtin.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/terminal_session.h"
#include "cli/version.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::chrono::milliseconds kCompletionBudget{300};

int run_help(Session& session) {
  auto& terminal = terminal_session(session);
  const auto& table = terminal.around().table;
  const auto width = terminal.around().terminal.out_width;
  const auto words = session.operands_from(0);
  const auto topic = join(words, " ");
  if (topic.empty()) {
    terminal.print_text(program_help(table, width));
    return kExitDone;
  }
  if (const auto* command = table.find(topic)) {
    terminal.print_text(command_help(*command, width));
    return kExitDone;
  }
  if (!table.below(topic).empty()) {
    terminal.print_text(group_help(table, topic, width));
    return kExitDone;
  }
  const auto near = table.suggestion(words);
  return session.fail({ErrorCode::kInvalid, "unknown_command",
                       fmt::format("there is no command '{}'{}", topic,
                                   near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)),
                       "mlopsctl help lists all commands", ""});
}

int run_completion(Session& session) {
  terminal_session(session).print_text(completion_script(session.operand(0)));
  return kExitDone;
}

int run_man(Session& session) {
  auto& terminal = terminal_session(session);
  terminal.print_text(man_page(terminal.around().table, kVersion));
  return kExitDone;
}

Completions context_names(const TerminalSession& session, std::string_view prefix) {
  Completions found;
  const auto& around = session.around();
  if (around.places.config_path.empty()) return found;
  if (const auto file = load_contexts(around.places.config_path)) {
    for (const auto& context : file->contexts) {
      if (context.name.starts_with(prefix)) found.candidates.push_back({context.name, context.server});
    }
  }
  return found;
}

// A server that hangs must not hang the shell: the thread is left behind when its time is up, and the process ends
// without waiting for it (program.cc leaves through quick_exit after a completion).
Completions names_within_budget(TerminalSession& session, Complete kind, const std::string& prefix) {
  std::promise<Completions> promise;
  auto future = promise.get_future();
  std::thread([&session, kind, prefix, promise = std::move(promise)]() mutable {
    promise.set_value(lookup_names(session.api(), kind, prefix));
  }).detach();
  return future.wait_for(kCompletionBudget) == std::future_status::ready ? future.get() : Completions{};
}

std::string server_version(ApiClient& api, std::string& why) {
  auto answer = api.get("/version");
  if (!answer) {
    why = answer.error().message;
    return {};
  }
  auto version = require_string(*answer, "version");
  if (version) return *version;
  why = version.error().message;
  return {};
}

}  // namespace

int run_complete(Session& session, const std::vector<std::string>& words) {
  auto& terminal = terminal_session(session);
  const auto lookup = [&](Complete kind, std::string_view prefix) {
    if (kind == Complete::kContext) return context_names(terminal, prefix);
    return names_within_budget(terminal, kind, std::string(prefix));
  };
  terminal.print_text(completion_lines(complete(terminal.around().table, words, lookup)));
  return kExitDone;
}

int run_version(Session& session) {
  Json value = {{"client", {{"name", "mlopsctl"}, {"version", kVersion}}}, {"server", nullptr}};
  std::string why;
  std::string version;
  const bool ask = !session.flag("--client");
  if (ask) {
    version = server_version(session.api(), why);
    if (!version.empty()) {
      value["server"] = {{"name", "mlopsd"}, {"version", version}, {"url", session.api().server_url()}};
    }
  }
  session.print_value(
      value,
      [&] {
        session.print_line(fmt::format("mlopsctl  {}", kVersion));
        if (!version.empty()) session.print_line(fmt::format("mlopsd    {}  {}", version, session.api().server_url()));
        if (ask && version.empty()) session.print_line(fmt::format("mlopsd    not reached: {}", why));
      },
      [] { return std::string(kVersion); });
  if (!version.empty() && version != kVersion) {
    session.warn(
        fmt::format("mlopsctl {} and mlopsd {} differ; use the same version on both sides", kVersion, version));
  }
  return kExitDone;
}

const Command kHelpCommand{
    .path = "help",
    .group = "Tool",
    .summary = "help on the program or on a command",
    .operands = {{.name = "COMMAND", .help = "the words of a command", .required = false, .repeated = true}},
    .shared = kOffline,
    .description = "Examples:\n  mlopsctl help\n  mlopsctl help promote\n  mlopsctl help env",
    .run = run_help,
};

const Command kCompletionCommand{
    .path = "completion",
    .group = "Tool",
    .summary = "print the completion script of a shell",
    .operands = {{.name = "SHELL",
                  .help = "bash, zsh or fish",
                  .complete = Complete::kChoice,
                  .choices = {"bash", "zsh", "fish"}}},
    .shared = kOffline,
    .description =
        "The script asks mlopsctl itself, so names, versions and environments of the server complete as well.\n"
        "\n"
        "  source <(mlopsctl completion bash)\n"
        "  mlopsctl completion fish > ~/.config/fish/completions/mlopsctl.fish",
    .run = run_completion,
};

const Command kManCommand{
    .path = "man",
    .group = "Tool",
    .summary = "print the manual page (roff)",
    .shared = kOffline,
    .description = "  mlopsctl man | man -l -",
    .run = run_man,
};

const Command kVersionCommand{
    .path = "version",
    .group = "Tool",
    .summary = "versions of mlopsctl and of the server",
    .options = {{.name = "--client", .help = "do not ask the server"}},
    .shared = kOutput,
    .description = "A server that cannot be reached is told, and is no failure.",
    .run = run_version,
};

}  // namespace mlops::cli
