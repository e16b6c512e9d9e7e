// JSON for the whole house: bounded parsing of foreign text and one canonical form.
//
// parse_json refuses what nlohmann::json lets through silently: depth, node and size beyond the limits, duplicate
// keys, invalid UTF-8, lone surrogates, numbers that do not fit. Errors: kInvalid with line and column.
// canonical_dump is RFC 8785 (sorted keys, shortest numbers, no space), the form that is hashed and signed.
// Thread-safety: free functions without state.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t size_bytes = 4u << 20;
  std::size_t depth = 64;
  std::size_t nodes = 100'000;
  std::size_t string_bytes = 1u << 20;
};

Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// REQUIRES: every string in `value` is valid UTF-8 (parse_json guarantees it).
std::string canonical_dump(const Json& value);

// Typed access to a member of an object, with an error that names the member.
// Absent: the optional_* forms give the fallback; the require_* forms give kInvalid "missing_field".
Result<std::string> require_string(const Json& object, const std::string& key);
Result<std::string> optional_string(const Json& object, const std::string& key, std::string fallback = {});
Result<std::int64_t> optional_int(const Json& object, const std::string& key, std::int64_t fallback, std::int64_t min,
                                  std::int64_t max);
Result<bool> optional_bool(const Json& object, const std::string& key, bool fallback);
// kInvalid "unknown_field" when the object has a member outside `known`, naming it and the nearest known one.
Status only_known_fields(const Json& object, std::initializer_list<std::string_view> known);

}  // namespace mlops
