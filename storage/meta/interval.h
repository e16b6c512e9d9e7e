// Time travel in SQL: rows carry [valid_from, valid_to) and queries take one moment. Private to storage/meta.
#pragma once

#include <cstdint>
#include <limits>

#include "core/base/clock.h"

namespace mlops::meta {

// The moment to ask for: 0 means now, which is after everything.
inline std::int64_t moment(TimestampUs as_of_us) {
  return as_of_us == 0 ? std::numeric_limits<std::int64_t>::max() : as_of_us;
}

}  // namespace mlops::meta
