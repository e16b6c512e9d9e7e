#include "policies/mask/pseudonym_token.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/mask/hex_text.h"

namespace mlops::mask {
namespace {

constexpr std::size_t kUuidBodyBytes = 12;
constexpr std::size_t kVersionByte = 6;
constexpr std::size_t kVariantByte = 8;
constexpr std::size_t kDashes[] = {8, 13, 18, 23};
constexpr std::size_t kUuidCharacters = 36;

using Block = std::array<std::uint8_t, crypto::kAesBlockBytes>;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

Result<Block> check_of(const WorkingKey& key, ByteView body) {
  Block block{};
  std::copy(body.begin(), body.end(), block.begin());
  MLOPS_TRY(key.check->encrypt(block));
  return block;
}

Result<bool> is_token_of(const WorkingKey& key, std::string_view text) {
  if (!text.starts_with(key.tag)) return false;
  text.remove_prefix(key.tag.size());
  if (text.size() != 2 * (kTokenBodyBytes + kTokenCheckBytes) || !is_lower_hex(text)) return false;
  const auto bytes = from_hex(text).value();
  MLOPS_ASSIGN(const auto check, check_of(key, ByteView(bytes).first(kTokenBodyBytes)));
  return crypto::constant_time_equal(ByteView(bytes).last(kTokenCheckBytes), ByteView(check).first(kTokenCheckBytes));
}

Result<bool> is_uuid_of(const WorkingKey& key, ByteView bytes) {
  MLOPS_ASSIGN(const auto check, check_of(key, bytes.first(kUuidBodyBytes)));
  return crypto::constant_time_equal(bytes.last(kTokenCheckBytes), ByteView(check).first(kTokenCheckBytes));
}

template <class Is, class Text>
Result<bool> of_any(const ColumnKey& key, Is is, const Text& text) {
  MLOPS_ASSIGN(const bool current, is(key, text));
  if (current) return true;
  for (const auto& former : key.former) {
    MLOPS_ASSIGN(const bool earlier, is(former, text));
    if (earlier) return true;
  }
  return false;
}

}  // namespace

void append_hex(std::string& out, ByteView bytes) {
  const std::size_t before = out.size();
  out.resize(before + 2 * bytes.size());
  write_hex(out.data() + before, bytes);
}

Status append_token(const WorkingKey& key, std::string_view value, std::string& out) {
  const crypto::Mac mac = key.pseudonym->one(value);
  const auto body = ByteView(mac).first(kTokenBodyBytes);
  MLOPS_ASSIGN(const auto check, check_of(key, body));
  out.reserve(out.size() + key.tag.size() + 2 * (kTokenBodyBytes + kTokenCheckBytes));
  out += key.tag;
  append_hex(out, body);
  append_hex(out, ByteView(check).first(kTokenCheckBytes));
  return {};
}

Result<std::string> make_token(const WorkingKey& key, std::string_view value) {
  std::string token;
  MLOPS_TRY(append_token(key, value, token));
  return token;
}

Result<bool> is_own_token(const ColumnKey& key, std::string_view text) {
  if (!may_be_token(text)) return false;
  return of_any(key, is_token_of, text);
}

bool is_uuid(std::string_view text) {
  if (text.size() != kUuidCharacters) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = std::find(std::begin(kDashes), std::end(kDashes), i) != std::end(kDashes);
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

Result<std::string> make_uuid(const WorkingKey& key, std::string_view value) {
  crypto::Mac bytes = key.pseudonym->one(value);
  bytes[kVersionByte] = static_cast<std::uint8_t>((bytes[kVersionByte] & 0x0f) | 0x80);
  bytes[kVariantByte] = static_cast<std::uint8_t>((bytes[kVariantByte] & 0x3f) | 0x80);
  MLOPS_ASSIGN(const auto check, check_of(key, ByteView(bytes).first(kUuidBodyBytes)));
  std::string hex;
  append_hex(hex, ByteView(bytes).first(kUuidBodyBytes));
  append_hex(hex, ByteView(check).first(kTokenCheckBytes));
  for (const auto dash : kDashes) hex.insert(dash, 1, '-');
  return hex;
}

Result<bool> is_own_uuid(const ColumnKey& key, std::string_view text) {
  std::string hex;
  std::copy_if(text.begin(), text.end(), std::back_inserter(hex), [](char c) { return c != '-'; });
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != crypto::kAesBlockBytes) return false;
  return of_any(key, is_uuid_of, ByteView(*bytes));
}

}  // namespace mlops::mask
