// Runs simulated lives of the content store, one a seed, or real threads for a while. Exit status 1 and the seed when
// an invariant failed.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/base/text.h"
#include "tests/sim/simulation.h"
#include "tests/sim/threads.h"

namespace {

constexpr const char* kUsage =
    "Usage: store_sim [--seeds N] [--first-seed S] [--steps N] [--verbose]\n"
    "       store_sim --threads N [--seconds T] [--first-seed S]\n"
    "\n"
    "Random interleavings of push, delete, gc and pull on a disk in memory, with restarts and power cuts; every "
    "second\n"
    "seed also with calls that fail. A failure prints its seed: run it again with --first-seed S --seeds 1 --verbose.\n"
    "With --threads: so many threads on a real disk for T seconds, for a thread sanitizer.\n";

struct Arguments {
  std::uint64_t seeds = 1000;
  std::uint64_t first_seed = 1;
  int steps = 80;
  unsigned threads = 0;
  unsigned seconds = 5;
  bool is_verbose = false;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--verbose") {
      out.is_verbose = true;
      continue;
    }
    const auto value = i + 1 < argc ? mlops::parse_int(argv[++i]) : std::nullopt;
    if (!value || *value < 0) return false;
    if (name == "--seeds") {
      out.seeds = static_cast<std::uint64_t>(*value);
    } else if (name == "--first-seed") {
      out.first_seed = static_cast<std::uint64_t>(*value);
    } else if (name == "--steps") {
      out.steps = static_cast<int>(*value);
    } else if (name == "--threads") {
      out.threads = static_cast<unsigned>(*value);
    } else if (name == "--seconds") {
      out.seconds = static_cast<unsigned>(*value);
    } else {
      return false;
    }
  }
  return true;
}

int run_threads(const Arguments& arguments) {
  const auto failure = mlops::sim::run_threads({arguments.threads, arguments.seconds, arguments.first_seed});
  if (failure.empty()) {
    std::printf("%u threads, %u s: nothing lost\n", arguments.threads, arguments.seconds);
    return 0;
  }
  std::printf("FAILED with %u threads, seed %llu: %s\n", arguments.threads,
              static_cast<unsigned long long>(arguments.first_seed), failure.c_str());
  return 1;
}

int run_seeds(const Arguments& arguments) {
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    mlops::sim::SimOptions options;
    options.seed = arguments.first_seed + i;
    options.steps = arguments.steps;
    options.has_faults = options.seed % 2 == 0;
    options.is_verbose = arguments.is_verbose;
    const auto failure = mlops::sim::Simulation(options).run();
    if (failure.empty()) continue;
    std::printf("FAILED with seed %llu: %s\nagain: store_sim --first-seed %llu --seeds 1 --steps %d --verbose\n",
                static_cast<unsigned long long>(options.seed), failure.c_str(),
                static_cast<unsigned long long>(options.seed), options.steps);
    return 1;
  }
  std::printf("%llu interleavings of %d steps: nothing lost\n", static_cast<unsigned long long>(arguments.seeds),
              arguments.steps);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  // Damage and failures are part of the play: only what an invariant says counts.
  const mlops::test::LogCapture quiet;
  return arguments.threads > 0 ? run_threads(arguments) : run_seeds(arguments);
}
