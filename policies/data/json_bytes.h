// Private to policies/data: the lexical half of JSON (RFC 8259) over bytes. Thread-safety: free functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mlops::data {

inline bool is_json_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The first byte that a string cannot simply hold: a quote, a backslash, a control byte; `end` when there is none.
const char* find_string_stop(const char* at, const char* end);

// The first bracket, brace or quote; `end` when there is none.
const char* find_bracket_or_quote(const char* at, const char* end);

// The end of the number that begins at `at`, nullptr when what stands there is not one.
const char* end_of_number(const char* at, const char* end);

// The whole text is one number.
bool is_json_number(std::string_view text);

// Appends what an escaped string means. A surrogate without its other half becomes U+FFFD. False when an escape is
// none. REQUIRES: `inner` is what stands between the quotes; `into` grows by at most inner.size() bytes.
bool decode_json_string(std::string_view inner, std::string& into);

// Appends `text` quoted, escaping only what must be. REQUIRES: valid UTF-8.
void append_quoted(std::string& out, std::string_view text);

// The end of the value that begins at text[0], its nesting balanced but not checked; npos when it does not end.
std::size_t end_of_value(std::string_view text);

// The raw value of a member of the object that begins at text[0], without looking into others; nullopt when there is
// none or the text is no object that far.
std::optional<std::string_view> find_member(std::string_view text, std::string_view key);

// What stands between the quotes of a raw string value without escapes; nullopt for anything else.
std::optional<std::string_view> plain_string(std::string_view raw);

}  // namespace mlops::data
