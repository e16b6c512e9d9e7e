#include "core/base/bytes.h"

#include <array>

namespace mlops {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int8_t kNoDigit = -1;

using DigitValues = std::array<std::int8_t, 256>;

constexpr DigitValues digit_values(std::string_view digits) {
  DigitValues values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr DigitValues kHexValues = digit_values(kHexDigits);
constexpr DigitValues kBase64Values = digit_values(kBase64Digits);

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0x0f];
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = kHexValues[static_cast<std::uint8_t>(text[i])];
    const int low = kHexValues[static_cast<std::uint8_t>(text[i + 1])];
    if (high == kNoDigit || low == kNoDigit) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64url(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = (pending << 8 | byte) & 0xffff;
    pending_bits += 8;
    while (pending_bits >= 6) {
      pending_bits -= 6;
      text += kBase64Digits[pending >> pending_bits & 0x3f];
    }
  }
  if (pending_bits > 0) text += kBase64Digits[pending << (6 - pending_bits) & 0x3f];
  return text;
}

std::string to_base64(ByteView bytes) {
  std::string text = to_base64url(bytes);
  for (char& digit : text) {
    if (digit == '-') digit = '+';
    if (digit == '_') digit = '/';
  }
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const char digit : text) {
    const int value = kBase64Values[static_cast<std::uint8_t>(digit)];
    if (value == kNoDigit) return std::nullopt;
    pending = (pending << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
    }
  }
  // Left-over bits must be zero: otherwise two texts would decode to the same bytes.
  if ((pending & ((1u << pending_bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace mlops
