#include "cli/settings.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kLongestTimeoutS = 24 * 3600;
constexpr std::string_view kDefaultServer = "http://127.0.0.1:8470";

// One level of precedence: what it says about the connection, and whose word it is.
struct Level {
  std::string server, server_origin;
  std::string token, token_file, token_origin;
  std::string ca_file;
  std::string context;  // not empty: a context's level, whose token is for its own server only
};

Level context_level(const ChosenContext& chosen) {
  const auto* context = chosen.file.find(chosen.name);
  if (context == nullptr) return {};
  const auto origin = fmt::format("context {}", context->name);
  return {.server = context->server,
          .server_origin = origin,
          .token_file = context->token_file,
          .token_origin = origin,
          .ca_file = context->ca_file,
          .context = context->name};
}

Level flag_level(const ParsedWords& words) {
  return {.server = words.last("--server").value_or(""),
          .server_origin = "--server",
          .token_file = words.last("--token-file").value_or(""),
          .token_origin = "--token-file",
          .ca_file = words.last("--ca-file").value_or("")};
}

Level variable_level(const Variables& variables) {
  Level level{.server = variables("MLOPS_SERVER").value_or(""),
              .server_origin = "MLOPS_SERVER",
              .token = std::string(trim(variables("MLOPS_TOKEN").value_or(""))),
              .token_origin = "MLOPS_TOKEN",
              .ca_file = variables("MLOPS_CA_FILE").value_or("")};
  if (level.token.empty()) {
    level.token_file = variables("MLOPS_TOKEN_FILE").value_or("");
    level.token_origin = "MLOPS_TOKEN_FILE";
  }
  return level;
}

Failure unknown_context(const ContextFile& file, const std::string& name, const std::string& origin) {
  std::vector<std::string> names;
  for (const auto& context : file.contexts) names.push_back(context.name);
  const auto near = nearest_word(name, names);
  return fail(ErrorCode::kInvalid, "unknown_context",
              fmt::format("there is no context '{}' ({}){}", printable(name), origin,
                          near ? fmt::format("; did you mean '{}'?", *near) : std::string()),
              "mlopsctl context list shows them; mlopsctl context add NAME --server URL makes one");
}

Result<std::string> chosen_server(const std::vector<Level>& levels, Connection& connection) {
  for (const auto& level : levels) {
    if (level.server.empty()) continue;
    connection.server_origin = level.server_origin;
    connection.context = level.context;
    return normal_server_url(level.server);
  }
  connection.server_origin = "default";
  return std::string(kDefaultServer);
}

Status choose_token(const std::vector<Level>& levels, Connection& connection) {
  for (const auto& level : levels) {
    if (level.token.empty() && level.token_file.empty()) continue;
    if (!level.context.empty() && level.server != connection.server) continue;
    connection.token_origin = level.token_origin;
    connection.token = level.token;
    if (connection.token.empty()) {
      MLOPS_ASSIGN(connection.token, read_token_file(level.token_file));
    }
    return {};
  }
  return {};
}

}  // namespace

Places process_places(const Variables& variables) {
  Places places;
  if (auto directory = config_directory(variables)) places.config_path = *directory + "/config.yaml";
  std::error_code error;
  places.working_directory = std::filesystem::current_path(error).string();
  return places;
}

Result<Presentation> resolve_presentation(const ParsedWords& words, const Variables& variables) {
  Presentation presentation;
  const auto from_flag = words.last("--output");
  const auto word = from_flag.value_or(variables("MLOPS_OUTPUT").value_or(""));
  if (!word.empty()) {
    const auto format = output_format_of(word);
    if (!format && !from_flag) {
      return fail(ErrorCode::kInvalid, "bad_output",
                  fmt::format("MLOPS_OUTPUT must be table, wide, json, yaml or name, not '{}'", printable(word)));
    }
    // A word of the flag that is not of these is one of the command's own (lineage -o dot): parsing refuses the others.
    presentation.format = format.value_or(OutputFormat::kTable);
  }
  const auto color = words.last("--color").value_or("auto");
  presentation.color = color == "always" ? ColorWhen::kAlways : color == "never" ? ColorWhen::kNever : ColorWhen::kAuto;
  if (words.has("--no-color")) presentation.color = ColorWhen::kNever;
  presentation.quiet = words.has("--quiet");
  presentation.verbose = words.has("--verbose");
  return presentation;
}

Result<ChosenContext> choose_context(const ParsedWords& words, const Variables& variables, const Places& places) {
  ChosenContext chosen;
  if (!places.config_path.empty()) {
    MLOPS_ASSIGN(chosen.file, load_contexts(places.config_path));
  }
  if (const auto flag = words.last("--context")) {
    chosen.name = *flag;
    chosen.origin = "--context";
  } else if (const auto variable = variables("MLOPS_CONTEXT").value_or(""); !variable.empty()) {
    chosen.name = variable;
    chosen.origin = "MLOPS_CONTEXT";
  } else {
    MLOPS_ASSIGN(chosen.name, project_context(places.working_directory));
    chosen.origin = ".mlops.yaml";
  }
  if (chosen.name.empty()) {
    chosen.name = chosen.file.current;
    chosen.origin = "current";
  } else if (chosen.file.find(chosen.name) == nullptr) {
    return unknown_context(chosen.file, chosen.name, chosen.origin);
  }
  return chosen;
}

Result<Connection> resolve_connection(const ParsedWords& words, const Variables& variables, const Places& places) {
  MLOPS_ASSIGN(const auto chosen, choose_context(words, variables, places));
  std::vector<Level> levels{flag_level(words)};
  if (chosen.origin == "--context") levels.push_back(context_level(chosen));
  levels.push_back(variable_level(variables));
  if (chosen.origin != "--context") levels.push_back(context_level(chosen));

  Connection connection;
  MLOPS_ASSIGN(connection.server, chosen_server(levels, connection));
  MLOPS_TRY(choose_token(levels, connection));
  for (const auto& level : levels) {
    const bool foreign = !level.context.empty() && level.server != connection.server;
    if (connection.ca_file.empty() && !foreign) connection.ca_file = level.ca_file;
  }
  if (const auto timeout = words.last("--timeout")) {
    MLOPS_ASSIGN(const auto seconds, parse_duration_s(*timeout));
    if (seconds <= 0 || seconds > kLongestTimeoutS) {
      return fail(ErrorCode::kInvalid, "bad_duration", "--timeout must be between 1s and 24h");
    }
    connection.timeout = std::chrono::seconds(seconds);
  }
  return connection;
}

}  // namespace mlops::cli
