// context list, show, use, add, remove: the servers this person works with.
#include <fmt/format.h>

#include "cli/builtin.h"
#include "cli/exit_code.h"
#include "cli/terminal_session.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

Result<ContextFile> load(const TerminalSession& session) {
  const auto& path = session.around().places.config_path;
  if (path.empty()) {
    MLOPS_TRY(config_directory(session.around().variables));
  }
  return load_contexts(path);
}

Error unknown_context(const ContextFile& file, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& context : file.contexts) names.push_back(context.name);
  const auto near = nearest_word(name, names);
  return {ErrorCode::kNotFound, "unknown_context",
          fmt::format("there is no context '{}'{}", name, near ? fmt::format("; did you mean '{}'?", *near) : ""),
          "mlopsctl context list shows them", ""};
}

Json context_json(const Context& context, const ContextFile& file) {
  return {{"name", context.name},
          {"server", context.server},
          {"token_file", context.token_file},
          {"ca", context.ca_file},
          {"current", context.name == file.current}};
}

std::string text_cell(const Json& row, const char* key) {
  return row.at(key).get<std::string>();
}

int run_list(Session& session) {
  const auto file = load(terminal_session(session));
  if (!file) return session.fail(file.error());
  Json items = Json::array();
  for (const auto& context : file->contexts) items.push_back(context_json(context, *file));
  session.print_list(
      items,
      {{"CURRENT", [](const Json& row) { return row.at("current").get<bool>() ? "*" : ""; }},
       {"NAME", [](const Json& row) { return text_cell(row, "name"); }},
       {"SERVER", [](const Json& row) { return text_cell(row, "server"); }},
       {"TOKEN FILE", [](const Json& row) { return text_cell(row, "token_file"); }, true},
       {"CA", [](const Json& row) { return text_cell(row, "ca"); }, true}},
      [](const Json& row) { return text_cell(row, "name"); },
      "no contexts; mlopsctl context add NAME --server URL makes one");
  return kExitDone;
}

// What a command would use right now, and where each part comes from.
int run_show(Session& session) {
  auto& terminal = terminal_session(session);
  const auto chosen = choose_context(terminal.words(), terminal.around().variables, terminal.around().places);
  if (!chosen) return session.fail(chosen.error());
  const auto connection = terminal.connection();
  if (!connection) return session.fail(connection.error());
  const Json value = {{"context", chosen->name},
                      {"context_from", chosen->name.empty() ? "" : chosen->origin},
                      {"server", connection->server},
                      {"server_from", connection->server_origin},
                      {"token_from", connection->token_origin},
                      {"ca", connection->ca_file},
                      {"config", terminal.around().places.config_path}};
  session.print_value(
      value,
      [&] {
        session.print_line(fmt::format(
            "context  {}", chosen->name.empty() ? "none" : fmt::format("{} (from {})", chosen->name, chosen->origin)));
        session.print_line(fmt::format("server   {} (from {})", connection->server, connection->server_origin));
        session.print_line(fmt::format("token    {}", connection->token_origin.empty()
                                                          ? "none; mlopsctl login --token-stdin"
                                                          : fmt::format("from {}", connection->token_origin)));
        if (!connection->ca_file.empty()) session.print_line(fmt::format("ca       {}", connection->ca_file));
        session.print_line(fmt::format("config   {}", terminal.around().places.config_path));
      },
      [&] { return chosen->name; });
  return kExitDone;
}

int change(Session& session, const std::function<Result<std::string>(ContextFile&)>& apply) {
  const auto& terminal = terminal_session(session);
  auto file = load(terminal);
  if (!file) return session.fail(file.error());
  const auto done = apply(*file);
  if (!done) return session.fail(done.error());
  if (const auto saved = save_contexts(terminal.around().places.config_path, *file); !saved) {
    return session.fail(saved.error());
  }
  session.say(*done);
  return kExitDone;
}

int run_use(Session& session) {
  return change(session, [&](ContextFile& file) -> Result<std::string> {
    const auto name = session.operand(0);
    const auto* context = file.find(name);
    if (context == nullptr) return fail(unknown_context(file, name));
    file.current = name;
    return fmt::format("using {} at {}", name, context->server);
  });
}

int run_add(Session& session) {
  return change(session, [&](ContextFile& file) -> Result<std::string> {
    Context context;
    context.name = session.operand(0);
    MLOPS_TRY(check_context_name(context.name));
    const auto server = session.option("--server");
    if (!server) {
      return fail(ErrorCode::kInvalid, "missing_value", "--server URL is missing",
                  "for example --server https://mlops.example.org");
    }
    MLOPS_ASSIGN(context.server, normal_server_url(*server));
    context.token_file = session.option("--token-file").value_or("");
    context.ca_file = session.option("--ca-file").value_or("");
    const bool replaced = file.find(context.name) != nullptr;
    if (file.current.empty()) file.current = context.name;
    const auto done = fmt::format("{} context {} at {}", replaced ? "replaced" : "added", context.name, context.server);
    file.put(std::move(context));
    return done;
  });
}

int run_remove(Session& session) {
  return change(session, [&](ContextFile& file) -> Result<std::string> {
    const auto name = session.operand(0);
    if (file.find(name) == nullptr) return fail(unknown_context(file, name));
    std::erase_if(file.contexts, [&](const Context& context) { return context.name == name; });
    if (file.current == name) file.current.clear();
    return fmt::format("removed context {}; its token file stays", name);
  });
}

const Operand kName{.name = "NAME", .help = "a context", .complete = Complete::kContext};

}  // namespace

const Command kContextListCommand{
    .path = "context list",
    .group = "Tool",
    .summary = "servers this configuration knows",
    .shared = kOutput | kOffline,
    .run = run_list,
};

const Command kContextShowCommand{
    .path = "context show",
    .group = "Tool",
    .summary = "the server and token in use, and where each comes from",
    .shared = kOutput | kOffline,
    .run = run_show,
};

const Command kContextUseCommand{
    .path = "context use",
    .group = "Tool",
    .summary = "make a context the current one",
    .operands = {kName},
    .shared = kOffline,
    .run = run_use,
};

const Command kContextAddCommand{
    .path = "context add",
    .group = "Tool",
    .summary = "add a context, or replace it",
    .operands = {{.name = "NAME", .help = "letters, digits, '.', '_' and '-'"}},
    .shared = kOffline,
    .description =
        "Takes --server, --token-file and --ca-file; the first context becomes the current one.\n"
        "\n"
        "  mlopsctl context add hospital --server https://mlops.example.org --ca-file hospital-ca.pem",
    .run = run_add,
};

const Command kContextRemoveCommand{
    .path = "context remove",
    .group = "Tool",
    .summary = "forget a context",
    .operands = {kName},
    .shared = kOffline,
    .run = run_remove,
};

}  // namespace mlops::cli
