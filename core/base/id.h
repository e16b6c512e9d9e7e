// UUIDv7 (RFC 9562): sortable by creation, monotonic inside the process. Thread-safe.
#pragma once

#include <string>

#include "core/base/clock.h"

namespace mlops {

std::string new_id(const Clock& clock);

}  // namespace mlops
