// What a run of mlopsctl is told from outside, joined by precedence: flag, environment, project, user, default.
// Thread-safety: pure functions and plain values.
#pragma once

#include <chrono>
#include <string>

#include "cli/args.h"
#include "cli/context.h"
#include "cli/output.h"

namespace mlops::cli {

struct Presentation {
  OutputFormat format = OutputFormat::kTable;
  ColorWhen color = ColorWhen::kAuto;
  bool quiet = false;
  bool verbose = false;
};

struct Connection {
  std::string server;
  std::string server_origin;  // "--server", "MLOPS_SERVER", "context local", "default"
  std::string context;        // "" when the server comes from no context
  std::string token;          // "" when there is none
  std::string token_origin;   // "--token-file …"; "" without a token
  std::string ca_file;
  std::chrono::milliseconds timeout{30000};
};

// Where files are looked for. `config_path` may be empty (no home): then there are no contexts.
struct Places {
  std::string config_path;
  std::string working_directory;
};
Places process_places(const Variables& variables);

// Errors: kInvalid "bad_output" for a bad MLOPS_OUTPUT.
Result<Presentation> resolve_presentation(const ParsedWords& words, const Variables& variables);
// The context in force and the file it is in; name "" when none is. Errors: kInvalid "unknown_context" with the nearest
// name; those of load_contexts.
struct ChosenContext {
  ContextFile file;
  std::string name;
  std::string origin;  // "--context", "MLOPS_CONTEXT", ".mlops.yaml", "current"
};
Result<ChosenContext> choose_context(const ParsedWords& words, const Variables& variables, const Places& places);
// Errors: as choose_context, read_token_file, normal_server_url; kInvalid "bad_duration".
Result<Connection> resolve_connection(const ParsedWords& words, const Variables& variables, const Places& places);

}  // namespace mlops::cli
