// Private to policies/data: where text stops being well-formed UTF-8, and code points written as it. Thread-safety:
// free functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mlops::data {

// Offset of the first byte that does not belong to a well-formed sequence (RFC 3629: no overlong forms, no surrogates,
// nothing above U+10FFFF), or npos.
std::size_t first_invalid_utf8(std::string_view text);

// Appends a code point; a surrogate, or what is beyond U+10FFFF, as U+FFFD.
void append_code_point(std::string& out, std::uint32_t code);

}  // namespace mlops::data
