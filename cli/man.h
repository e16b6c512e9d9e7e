// The manual page mlopsctl(1) as roff (man macros), made of the rows. Thread-safety: pure function.
#pragma once

#include <string>
#include <string_view>

#include "cli/commands.h"

namespace mlops::cli {

std::string man_page(const CommandTable& table, std::string_view version);
// Text as roff input: escapes, protected control characters at line starts, non-ASCII as \[uXXXX].
std::string roff_text(std::string_view text);

}  // namespace mlops::cli
