// An erasure for people: its plan, how far it is, its receipt. Thread-safety: pure functions.
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

Lines erasure_lines(const Json& erasure, const Style& style);
Lines receipt_lines(const Json& answer, const Style& style);
// What to type next; "" when nothing is left.
std::string next_step_of_erasure(const Json& erasure);
// "3 of 812" or "3".
std::string rows_text(const Json& step);

}  // namespace mlops::cli
