// The lexical half of JSON, shared by the canonical dump, the log and the YAML writer. Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>

namespace mlops {

// Appends `text` as a quoted JSON string with the escapes of RFC 8785 section 3.2.2.2 (control bytes, quote,
// backslash). REQUIRES: `text` is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Appends the shortest decimal form of `value` as ECMAScript writes it (RFC 8785 section 3.2.2.3); null when not
// finite.
void append_json_number(std::string& out, double value);

}  // namespace mlops
