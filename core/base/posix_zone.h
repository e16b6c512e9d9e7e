// The rule at the end of a TZif file, as POSIX writes it in TZ. Private to core/base. Thread-safety: pure functions.
#pragma once

#include "core/base/time_zone.h"

namespace mlops {

// Errors: kCorrupt "time_zone_damaged".
Result<PosixZoneRule> parse_posix_zone(std::string_view text);
std::int64_t offset_by_rule(const PosixZoneRule& rule, std::int64_t utc_s);

}  // namespace mlops
