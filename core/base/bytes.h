// Byte text codecs: lower-case hex, base64 and unpadded base64url. Thread-safety: free functions without state.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlops {

using ByteView = std::span<const std::uint8_t>;

// Leaves new elements as they are: a buffer that is about to be filled need not be zeroed first.
template <class T>
struct UninitializedAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = UninitializedAllocator<U>;
  };
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
};
// resize() gives bytes of any value. insert() of many would go byte by byte: append_bytes() does not.
using RawBytes = std::vector<std::uint8_t, UninitializedAllocator<std::uint8_t>>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Appends to a vector of bytes. REQUIRES: `bytes` are not its own.
template <class Bytes>
void append_bytes(Bytes& to, ByteView bytes) {
  const auto begin = to.size();
  to.resize(begin + bytes.size());
  if (!bytes.empty()) std::memcpy(to.data() + begin, bytes.data(), bytes.size());
}

std::string to_hex(ByteView bytes);
// Lower-case hex only; nullopt for anything else.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);
// The alphabet of RFC 4648 section 4, padded.
std::string to_base64(ByteView bytes);
std::string to_base64url(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace mlops
