// What a plain scalar means under the YAML 1.2 core schema, without the surprises of YAML 1.1. Thread-safety: free
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/json.h"

namespace mlops {

// true|True|TRUE|false|False|FALSE; `no`, `on` and `y` are text.
std::optional<bool> plain_bool(std::string_view text);
// Decimal without leading zeros, so that `036` stays text; int64 or, above it, uint64 as JSON.
std::optional<Json> plain_integer(std::string_view text);
// A decimal number, with or without fraction and exponent, finite, without leading zeros.
std::optional<double> plain_double(std::string_view text);
// Whether some YAML reader (1.1 or 1.2) would take the plain text for something else than this string.
bool needs_quotes(std::string_view text);

}  // namespace mlops
