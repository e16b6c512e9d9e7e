#include "daemon/domain/token_text.h"

#include <algorithm>
#include <cstdint>

#include "core/crypto/seal.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kPrefix = "mlo_";
constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRandomLength = 30;
constexpr std::size_t kChecksumLength = 6;

// CRC-32 (IEEE 802.3, reflected), bit by bit: 30 bytes a token do not need a table.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::string checksum(std::string_view random_part) {
  std::uint32_t rest = crc32(random_part);
  std::string out(kChecksumLength, '0');
  for (auto it = out.rbegin(); it != out.rend(); ++it) {
    *it = kBase62[rest % kBase62.size()];
    rest /= kBase62.size();
  }
  return out;
}

}  // namespace

Result<std::string> new_token_secret() {
  std::string random_part;
  while (random_part.size() < kRandomLength) {
    MLOPS_ASSIGN(const auto bytes, crypto::random_bytes(64));
    for (const auto byte : bytes) {
      // 248 = 4 * 62: larger bytes are dropped, so every character is equally likely.
      if (byte < 248 && random_part.size() < kRandomLength) random_part += kBase62[byte % kBase62.size()];
    }
  }
  return std::string(kPrefix) + random_part + checksum(random_part);
}

bool looks_like_token(std::string_view secret) {
  if (secret.size() != kPrefix.size() + kRandomLength + kChecksumLength || !secret.starts_with(kPrefix)) return false;
  const auto random_part = secret.substr(kPrefix.size(), kRandomLength);
  const bool alphabet = std::all_of(random_part.begin(), random_part.end(),
                                    [](char c) { return kBase62.find(c) != std::string_view::npos; });
  return alphabet && checksum(random_part) == secret.substr(kPrefix.size() + kRandomLength);
}

}  // namespace mlops::domain
