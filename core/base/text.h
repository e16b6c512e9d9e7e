// Small pure helpers on text: splitting, trimming, UTF-8, terminal escaping, durations, sizes, nearest words.
// Thread-safety: free functions without state.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops {

std::vector<std::string_view> split(std::string_view text, char separator);
// The parts would outlive their text.
template <std::same_as<std::string> T>
std::vector<std::string_view> split(T&& text, char separator) = delete;
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);
bool is_valid_utf8(std::string_view text);
// Control bytes, ESC and invalid UTF-8 as \xNN, so that a hostile name cannot drive a terminal or forge a log line.
std::string printable(std::string_view text);
// The candidate nearest to `word` by Damerau-Levenshtein distance, when near enough to be a typo.
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& candidates);
// "1.5 GiB", "312 B".
std::string human_size(std::uint64_t size_bytes);
// "90s", "15m", "24h", "90d" → seconds. Errors: kInvalid "bad_duration".
Result<std::int64_t> parse_duration_s(std::string_view text);
// Decimal digits only, whole text, no sign beyond '-'. Errors: nullopt.
std::optional<std::int64_t> parse_int(std::string_view text);

}  // namespace mlops
