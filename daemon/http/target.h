// The request target: splitting and strict percent-decoding of paths and queries.
//
// Nothing here is lenient: a bad escape, a control byte, invalid UTF-8 or a hidden path step is an error, because every
// layer behind would otherwise have to ask the same question again. Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::http {

enum class PlusSign { kLiteral, kSpace };

// Errors: kInvalid "bad_target" for a bad escape, a control byte or invalid UTF-8 after decoding.
Result<std::string> percent_decode(std::string_view text, PlusSign plus);

// One segment of a path, decoded. Refuses, beyond percent_decode: backslashes, "." and ".." as the segment or as a step
// of it ("a%2F..%2Fb"), and text that would decode a second time ("%252e"). Errors: kInvalid "bad_path".
Result<std::string> decode_segment(std::string_view segment);

// "a=1&b=2" decoded. Errors: kInvalid "bad_query" (escape, repeated key, more than `limit` parameters).
Result<std::map<std::string, std::string>> parse_query(std::string_view query, std::size_t limit);

}  // namespace mlops::http
