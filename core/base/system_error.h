// Errors of system calls as errors of the house, with the codes that core/base/env.h lists. Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops {

// What the system's error `number` means: "cannot {doing} {path}: …".
Failure fail_errno(std::string_view doing, const std::string& path, int number);

}  // namespace mlops
