// login and api: getting a token into place, and calls as they are.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>

#include "cli/builtin.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/terminal_session.h"
#include "core/base/env.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kTokenLimitBytes = 4096;
constexpr std::size_t kBodyLimitBytes = 16u << 20;

Result<std::string> read_stdin(std::size_t limit_bytes) {
  std::string text;
  char buffer[4096];
  while (const auto got = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, got);
    if (text.size() > limit_bytes) {
      return fail(ErrorCode::kInvalid, "input_too_large",
                  fmt::format("standard input holds more than {}", human_size(limit_bytes)));
    }
  }
  return text;
}

Result<std::string> read_token() {
  if (::isatty(STDIN_FILENO) == 1) {
    return fail(ErrorCode::kInvalid, "no_token", "a token is not typed: it would be seen",
                "mlopsctl login --token-stdin < FILE");
  }
  MLOPS_ASSIGN(const auto text, read_stdin(kTokenLimitBytes));
  const auto token = trim(text);
  const bool good =
      !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!good)
    return fail(ErrorCode::kInvalid, "no_token", "standard input holds no token", "one token and nothing else");
  return std::string(token);
}

// The context to log in to: the one named, made when it is new; else the one in force; else "default".
Result<Context> login_context(const TerminalSession& session, const ContextFile& file) {
  const auto& words = session.words();
  Context context;
  context.name = words.last("--context").value_or("");
  if (context.name.empty()) {
    MLOPS_ASSIGN(const auto chosen, choose_context(words, session.around().variables, session.around().places));
    context.name = chosen.name.empty() ? "default" : chosen.name;
  }
  MLOPS_TRY(check_context_name(context.name));
  if (const auto* known = file.find(context.name)) context = *known;
  if (const auto server = words.last("--server")) context.server = *server;
  if (context.server.empty()) context.server = session.around().variables("MLOPS_SERVER").value_or("");
  if (context.server.empty()) {
    return fail(ErrorCode::kInvalid, "missing_value",
                fmt::format("the server of context {} is not known", context.name),
                "mlopsctl login --server URL --token-stdin");
  }
  MLOPS_ASSIGN(context.server, normal_server_url(context.server));
  if (const auto ca = words.last("--ca-file")) context.ca_file = *ca;
  return context;
}

// A token that the server does not know is not kept.
Result<std::string> check_token(const TerminalSession& session, const Context& context, const std::string& token) {
  Connection connection;
  connection.server = context.server;
  connection.server_origin = "login";
  connection.token = token;
  connection.ca_file = context.ca_file;
  MLOPS_ASSIGN(auto transport, session.around().connect(connection));
  HttpApiClient client(std::move(transport), context.server);
  MLOPS_ASSIGN(const auto who, client.get("/api/v1/whoami"));
  return require_string(who, "principal");
}

Result<std::string> login(TerminalSession& session) {
  const auto& path = session.around().places.config_path;
  MLOPS_ASSIGN(const auto directory, config_directory(session.around().variables));
  MLOPS_ASSIGN(const auto token, read_token());
  MLOPS_ASSIGN(auto file, load_contexts(path));
  MLOPS_ASSIGN(auto context, login_context(session, file));
  MLOPS_ASSIGN(const auto principal, check_token(session, context, token));
  context.token_file = fmt::format("{}/tokens/{}", directory, context.name);
  if (file.current.empty()) file.current = context.name;
  const auto done = fmt::format("logged in to {} as {}; context {}", context.server, principal, context.name);
  const auto token_file = context.token_file;
  file.put(std::move(context));
  MLOPS_TRY(save_contexts(path, file));
  MLOPS_TRY(posix_env().make_dir(directory + "/tokens", 0700));
  MLOPS_TRY(write_file_atomic(token_file, token + "\n", 0600));
  return done;
}

int run_login(Session& session) {
  if (!session.flag("--token-stdin")) {
    return session.fail({ErrorCode::kInvalid, "missing_value", "--token-stdin is missing",
                         "a token comes from `mlopsctl token create` and is read from standard input", ""});
  }
  const auto done = login(terminal_session(session));
  if (!done) return session.fail(done.error());
  session.say(*done);
  return kExitDone;
}

Result<std::string> body_of(const Session& session) {
  const auto data = session.option("--data");
  if (!data) return std::string();
  if (*data == "-" || *data == "@-") return read_stdin(kBodyLimitBytes);
  if (data->starts_with('@')) return read_file(data->substr(1), kBodyLimitBytes);
  return *data;
}

int run_api(Session& session) {
  auto path = session.operand(1);
  if (!path.starts_with('/')) path.insert(0, "/");
  const auto body = body_of(session);
  if (!body) return session.fail(body.error());
  const auto answer = session.api().raw(session.operand(0), path, *body);
  if (!answer) return session.fail(answer.error());
  const bool good = answer->status >= 200 && answer->status < 300;
  auto& terminal = terminal_session(session);
  const bool json = answer->content_type.find("json") != std::string::npos;
  auto parsed = json ? parse_json(answer->body) : Result<Json>(fail(Error{}));
  if (!good) return session.fail(error_of_reply({answer->status, {}, answer->body}, session.api().server_url()));
  if (parsed && session.wants_json()) {
    session.print_value(*parsed, {}, {});
  } else if (parsed && session.stdout_is_tty()) {
    terminal.print_text(json_text(*parsed));
  } else {
    terminal.print_text(answer->body);
    if (parsed && !answer->body.ends_with('\n')) terminal.print_text("\n");
  }
  return kExitDone;
}

}  // namespace

const Command kLoginCommand{
    .path = "login",
    .group = "Tool",
    .summary = "keep a token for a server",
    .options = {{.name = "--token-stdin", .help = "read the token from standard input"}},
    .description =
        "The token is tried against the server, then written to a file that only you can read, and the context "
        "is set to use it. --context names the context, and makes it when it is new.\n"
        "\n"
        "  mlopsctl login --context hospital --server https://mlops.example.org --token-stdin < token.txt",
    .run = run_login,
};

const Command kApiCommand{
    .path = "api",
    .group = "Tool",
    .summary = "call the server's API as it is",
    .operands = {{.name = "METHOD",
                  .help = "of HTTP",
                  .complete = Complete::kChoice,
                  .choices = {"GET", "POST", "PUT", "DELETE"}},
                 {.name = "PATH", .help = "with the query, percent-encoded, e.g. /api/v1/whoami"}},
    .options = {{.name = "--data",
                 .value_name = "JSON",
                 .help = "the body: JSON, @FILE, or - for standard input",
                 .complete = Complete::kFile}},
    .shared = kOutput,
    .description =
        "The answer's body goes to standard output unchanged (indented on a terminal or with -o json). An error "
        "answer is an error, with its exit status.\n"
        "\n"
        "  mlopsctl api GET /api/v1/whoami\n"
        "  mlopsctl api POST /api/v1/plans --data '{\"ref\":\"readmission@v1\",\"environment\":\"prod\"}'",
    .run = run_api,
};

}  // namespace mlops::cli
