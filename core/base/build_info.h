// What this binary is: filled in by CMake. Static storage.
#pragma once

#include <string_view>

namespace mlops {

extern const std::string_view kVersion;  // "0.1.0"
extern const std::string_view kCommit;   // 12 hex digits, or "unknown" outside a Git checkout

}  // namespace mlops
