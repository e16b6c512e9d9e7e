// Spans of time as people write them for keeping things: "24h", "90d", "2w", "6y". A year counts 366 days, so that no
// number of years is ever shorter than the calendar's. Errors: kInvalid "bad_duration". Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::cli {

Result<std::int64_t> parse_span_s(std::string_view text);
// In the largest unit that divides it: "6y", "90d", "36h", "90s".
std::string span_text(std::int64_t seconds);

}  // namespace mlops::cli
