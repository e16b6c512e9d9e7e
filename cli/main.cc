// mlopsctl: the verbs and the tool's own commands, the real environment, the real terminal and the real network.
#include "cli/commands.h"
#include "cli/net_transport.h"
#include "cli/program.h"
#include "core/crypto/seal.h"

int main(int argc, char** argv) {
  using namespace mlops;
  crypto::keep_out_of_core_dumps();  // rows of people's data pass through
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto variables = cli::process_variables();
  const auto terminal = cli::open_terminal(variables);
  const auto places = cli::process_places(variables);
  const cli::CommandTable table(cli::all_commands(), cli::builtin_commands());
  const SystemClock clock;
  const cli::Connect connect = cli::connect_over_net;
  return cli::run_program({table, variables, places, terminal, clock, connect}, arguments);
}
