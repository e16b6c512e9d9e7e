// mlopsd: reads its settings, runs until it is told to stop. Exit status: 0 stopped as asked, 1 could not run, 2 usage.
#include <fmt/format.h>

#include <string_view>

#include "core/base/build_info.h"
#include "core/base/log.h"
#include "daemon/app/config.h"
#include "daemon/app/runtime.h"

namespace {

using mlops::Error;
using mlops::app::Config;

constexpr std::string_view kUsage =
    "usage: mlopsd [--config FILE] [--replace-keys | --rewrap-keys WHERE] [--print-config | --check-config | --help | "
    "--version]\n";

struct Words {
  std::string config_file;
  bool print_config = false;
  bool check_config = false;
  bool replace_keys = false;
  std::string rewrap_keys;  // where the new master key is; empty: do not
  bool help = false;
  bool version = false;
  std::string problem;
};

Words read_words(int count, char** words) {
  Words out;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--config" && i + 1 < count) {
      out.config_file = words[++i];
    } else if (word.starts_with("--config=")) {
      out.config_file = word.substr(9);
    } else if (word == "--print-config") {
      out.print_config = true;
    } else if (word == "--check-config") {
      out.check_config = true;
    } else if (word == "--replace-keys") {
      out.replace_keys = true;
    } else if (word == "--rewrap-keys" && i + 1 < count) {
      out.rewrap_keys = words[++i];
      if (out.rewrap_keys.empty()) out.problem = "mlopsd: --rewrap-keys needs file:PATH, env:NAME or credential:NAME\n";
    } else if (word == "--help" || word == "-h") {
      out.help = true;
    } else if (word == "--version") {
      out.version = true;
    } else if (out.problem.empty()) {
      out.problem = fmt::format("mlopsd: \"{}\" is not an option, or lacks its value\n", word);
    }
  }
  return out;
}

int tell(const Error& error, int code) {
  fmt::print(stderr, "mlopsd: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
  return code;
}

}  // namespace

int main(int count, char** argv) {
  const auto words = read_words(count, argv);
  if (!words.problem.empty()) {
    fmt::print(stderr, "{}{}", words.problem, kUsage);
    return 2;
  }
  if (words.help) {
    fmt::print(
        "{}\n--replace-keys: start a data directory that was restored without its keys; every token is void then, "
        "and a new one\nis in admin-token.\n"
        "--rewrap-keys: seal the masking keys under another master key (file:PATH, env:NAME or credential:NAME) and "
        "end; the next\nstart needs masking.master_key to name it.\n\nSettings, in YAML and by environment:\n\n{}",
        kUsage, mlops::app::settings_help());
    return 0;
  }
  if (words.version) {
    fmt::print("mlopsd {} ({})\n", mlops::kVersion, mlops::kCommit);
    return 0;
  }
  const auto environment = mlops::app::process_environment();
  auto config = words.config_file.empty() ? mlops::app::load_config("", "defaults", environment)
                                          : mlops::app::load_config_file(words.config_file, environment);
  if (!config) return tell(config.error(), 2);
  if (words.print_config) fmt::print("{}", mlops::app::print_config(*config));
  if (words.print_config || words.check_config) return 0;
  mlops::log::set_level_word(config->log.level);
  if (!words.rewrap_keys.empty()) {
    if (auto done = mlops::app::rewrap_keys(*config, words.rewrap_keys); !done) return tell(done.error(), 1);
    fmt::print("the masking keys are sealed under the new master key: start with masking.master_key naming it\n");
    return 0;
  }
  const auto missing_keys = words.replace_keys ? mlops::app::MissingKeys::kReplace : mlops::app::MissingKeys::kRefuse;
  if (auto ran = mlops::app::run_daemon(*config, missing_keys); !ran) return tell(ran.error(), 1);
  return 0;
}
