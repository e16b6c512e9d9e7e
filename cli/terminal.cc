#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kNarrowest = 40;
constexpr std::int64_t kWidest = 120;
constexpr std::int64_t kWithoutTerminal = 80;

std::size_t width_of(std::FILE* stream, const Variables& variables) {
  std::int64_t columns = kWithoutTerminal;
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    columns = size.ws_col;
  } else if (const auto told = parse_int(variables("COLUMNS").value_or("")); told && *told > 0) {
    columns = *told;
  }
  return static_cast<std::size_t>(std::clamp(columns, kNarrowest, kWidest));
}

[[noreturn]] void die_of_broken_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
  ::_exit(128 + SIGPIPE);
}

}  // namespace

Terminal open_terminal(const Variables& variables) {
  std::signal(SIGPIPE, SIG_IGN);
  Terminal terminal;
  terminal.out_is_tty = ::isatty(STDOUT_FILENO) == 1;
  terminal.err_is_tty = ::isatty(STDERR_FILENO) == 1;
  terminal.out_width = width_of(stdout, variables);
  terminal.err_width = width_of(stderr, variables);
  return terminal;
}

std::size_t stderr_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : static_cast<std::size_t>(kWithoutTerminal);
}

void write_text(std::FILE* stream, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() && errno == EPIPE) die_of_broken_pipe();
}

bool flush_all(std::FILE* stream) {
  errno = 0;
  const bool flushed = std::fflush(stream) == 0;
  if (!flushed && errno == EPIPE) die_of_broken_pipe();
  return flushed && std::ferror(stream) == 0;
}

}  // namespace mlops::cli
