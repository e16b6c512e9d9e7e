// The same as the simulation, with real threads on a real disk, for a while: what a thread sanitizer should look at.
#pragma once

#include <string>

namespace mlops::sim {

struct ThreadOptions {
  unsigned threads = 4;
  unsigned seconds = 5;
  unsigned long long seed = 1;
};

// What went wrong first; empty: nothing.
std::string run_threads(const ThreadOptions& options);

}  // namespace mlops::sim
