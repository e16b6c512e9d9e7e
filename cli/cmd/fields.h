// Reading members of the server's answers: absent, null and members of another type are empty, never an exception, so
// that an older or newer server costs a blank cell and not the command.
// Thread-safety: pure functions. References are into the argument or to a constant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace mlops::cli {

// The member, or a constant null.
const Json& member(const Json& object, std::string_view key);
// The member when it is an array, or a constant empty array.
const Json& array_of(const Json& object, std::string_view key);
// Text as it is, numbers and booleans as written; "" for the rest.
std::string text_of(const Json& object, std::string_view key);
std::int64_t int_of(const Json& object, std::string_view key);
bool bool_of(const Json& object, std::string_view key);
// The texts of an array.
std::vector<std::string> strings_of(const Json& object, std::string_view key);

// A scalar in one word or sentence; arrays of scalars joined by ", "; objects as "k=v, k=v".
std::string brief(const Json& value);
// "sha256:0123456789ab" of a whole digest: 12 digits are enough to name a version.
std::string short_digest(std::string_view digest);
// "1 file", "3 files".
std::string counted(std::int64_t count, std::string_view one, std::string_view many);
// 1234567 → "1,234,567".
std::string grouped(std::int64_t number);
// The first part of an id, enough to type: commands accept any unique prefix of 8 or more characters.
std::string short_id(std::string_view id);

}  // namespace mlops::cli
