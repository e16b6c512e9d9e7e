// A run of mlopsctl from its words to its exit code. Thread-safety: main thread only.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal_session.h"

namespace mlops::cli {

// `arguments` without the program's name.
int run_program(const Surroundings& surroundings, const std::vector<std::string>& arguments);

}  // namespace mlops::cli
