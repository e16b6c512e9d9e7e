// Versions and differences for people. Thread-safety: pure functions from the shapes of docs/format/wire.md to Lines.
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

Lines version_lines(const Json& version, const Style& style);
Lines diff_lines(const Json& diff, const Style& style);
// "special_category (assumed: nobody declared it)", "personal (inherited from its inputs)".
std::string sensitivity_text(const Json& version);
// "", "deprecated" or "deleted".
std::string lifecycle_word(const Json& version);

}  // namespace mlops::cli
