// The population rule of 45 CFR 164.514(b)(2)(i)(B): a three-digit ZIP prefix may stay only where more than 20,000
// people live. Positive: a prefix nobody is known to live under is treated like a small one.
// Thread-safety: free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mlops::mask {

enum class Census { kUnion, k2020, k2010, k2000 };

// "union", "2020", "2010", "2000".
std::optional<Census> census_from_word(std::string_view word);

// The prefix of a ZIP code as it may be shown, "000" when it may not or when the cell is none. Reads 02155, 02155-1234,
// 021551234, and what integer and float columns leave of them (2155, 2155.0, 501). Empty stays empty.
std::string zip3_of(std::string_view cell, Census census);

}  // namespace mlops::mask
