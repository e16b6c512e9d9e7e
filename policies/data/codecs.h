// Private to policies/data: encodings of text in text, taken off tolerantly: what is not encoded stays as it is.
// Thread-safety: free functions without state.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace mlops::data {

bool is_base64_byte(char c);  // of either alphabet, without padding

// The bytes of base64 or base64url, line ends and missing padding allowed; nullopt for anything else.
std::optional<std::string> decode_base64(std::string_view text);

// The first three bytes; false when the text does not begin with four letters.
bool decode_base64_head(std::string_view text, std::array<char, 3>& bytes);

// Every %XX; nullopt when there is none. In text without blanks a plus is one (HTML forms).
std::optional<std::string> decode_percent(std::string_view text);

// Every =XX and soft line end; nullopt when there is none, or when it would give control bytes.
std::optional<std::string> decode_quoted_printable(std::string_view text);

// Every &#n; and &name; (HTML 4: markup and Latin-1); nullopt when there is none.
std::optional<std::string> decode_entities(std::string_view text);

// Bytes as text: UTF-8 as it is, anything else byte by byte as Latin-1.
std::string to_text(std::string bytes);

}  // namespace mlops::data
