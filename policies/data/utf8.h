// Private to policies/data: where text stops being well-formed UTF-8. Thread-safety: free functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace mlops::data {

// Offset of the first byte that does not belong to a well-formed sequence (RFC 3629: no overlong forms, no surrogates,
// nothing above U+10FFFF), or npos.
std::size_t first_invalid_utf8(std::string_view text);

}  // namespace mlops::data
