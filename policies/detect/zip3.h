// Which three-digit ZIP prefixes people live under, from the 2020 Census. Thread-safety: free function.
#pragma once

namespace mlops::detect {

// False for a number outside 0–999 too.
bool zip3_is_populated(int prefix);

}  // namespace mlops::detect
