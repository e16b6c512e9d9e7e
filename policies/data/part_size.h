// Private to policies/data: how files are cut into parts.
#pragma once

#include <cstddef>

namespace mlops::data {

// How large a part is: large enough that threads seldom meet, small enough for several to lie in memory.
inline constexpr std::size_t kPartBytes = 512u << 10;

}  // namespace mlops::data
