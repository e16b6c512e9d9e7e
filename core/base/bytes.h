// Byte text codecs: lower-case hex and unpadded base64url. Thread-safety: free functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mlops {

using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string to_hex(ByteView bytes);
// Lower-case hex only; nullopt for anything else.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);
std::string to_base64url(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace mlops
