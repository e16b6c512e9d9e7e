// The process's two output streams: are they terminals, how wide, and writing to them.
//
// A reader that went away (`mlopsctl list | head -1`) ends the process quietly by SIGPIPE, as every filter does.
// Thread-safety: main thread only.
#pragma once

#include <cstdio>
#include <string_view>

#include "cli/paint.h"

namespace mlops::cli {

struct Terminal {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool out_is_tty = false;
  bool err_is_tty = false;
  std::size_t out_width = 80;  // columns, 40 to 120 for prose
  std::size_t err_width = 80;
};

// REQUIRES: called once, before any thread: it also keeps SIGPIPE from killing a run whose *server* hung up.
Terminal open_terminal(const Variables& variables);

// Columns of standard error, for a line that must not wrap: what the terminal says, else 80.
std::size_t stderr_columns();

// Writes all of it. On EPIPE the process ends by SIGPIPE; other failures are for flush_all.
void write_text(std::FILE* stream, std::string_view text);
// False when anything written to `stream` was lost (disk full).
bool flush_all(std::FILE* stream);

}  // namespace mlops::cli
