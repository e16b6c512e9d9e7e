// The version of this program, from the build (PROJECT_VERSION).
#pragma once

#include <string_view>

#ifndef MLOPS_VERSION
#error "the build defines MLOPS_VERSION (cli/CMakeLists.txt)"
#endif

namespace mlops::cli {

inline constexpr std::string_view kVersion = MLOPS_VERSION;

}  // namespace mlops::cli
