#include "core/base/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/base/text.h"

namespace mlops {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

// digits[.digits][(e|E)[sign]digits] or .digits…, the whole text, no leading zeros.
bool is_decimal(std::string_view text) {
  const std::size_t whole = count_digits(text);
  if (whole > 1 && text[0] == '0') return false;
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = count_digits(text);
    text.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && count_digits(text) == text.size();
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<bool> plain_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<Json> plain_integer(std::string_view text) {
  const std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (digits.empty() || count_digits(digits) != digits.size()) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  if (const auto value = parse_whole<std::int64_t>(text[0] == '-' ? text : digits)) return Json(*value);
  if (text[0] == '-') return std::nullopt;
  if (const auto value = parse_whole<std::uint64_t>(digits)) return Json(*value);
  return std::nullopt;
}

std::optional<double> plain_double(std::string_view text) {
  const std::string_view decimal = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (!is_decimal(decimal)) return std::nullopt;
  const auto value = parse_whole<double>(decimal);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return text[0] == '-' ? -*value : *value;
}

bool needs_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"};
  // With these letters alone a text can be a number (hexadecimal, sexagesimal), a date or a time.
  constexpr std::string_view kNumberLetters = "0123456789abcdefABCDEFxXoO_.:+-tTzZ ";
  if (text.empty() || text.back() == ' ' || text.back() == ':') return true;
  const char first = text[0];
  if (!is_alpha(first) && !is_digit(first) && first != '_' && first != '/') return true;
  if (text.find(": ") != text.npos || text.find(" #") != text.npos || printable(text) != text) return true;
  // U+0085 and the other line ends of YAML are unprintable already; what is left beyond ASCII is harmless.
  const std::string lower = to_lower_ascii(text);
  if (std::find(kWords.begin(), kWords.end(), lower) != kWords.end()) return true;
  return is_digit(first) && text.find_first_not_of(kNumberLetters) == text.npos;
}

}  // namespace mlops
