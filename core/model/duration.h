// Spans of time as environments declare them: "24h", "3d", "90m", or ISO 8601 without months and years ("PT24H",
// "P3D", "P1W", "P1DT12H"). Errors: kInvalid "bad_duration". Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::model {

// At most 366 days.
Result<std::int64_t> parse_soak_s(std::string_view text);
// "3d", "36h", "90s": in the largest unit that divides it, days only from two on.
std::string duration_text(std::int64_t seconds);

}  // namespace mlops::model
