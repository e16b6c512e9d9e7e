// Private to policies/data: a part of a file as a source. Thread-safety: one thread. The bytes are borrowed.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "policies/data/stream.h"

namespace mlops::data {

// How large a part is: large enough that threads seldom meet, small enough for several to lie in memory.
inline constexpr std::size_t kPartBytes = 512u << 10;

class PartSource : public Source {
 public:
  explicit PartSource(std::string_view bytes) : left_(bytes) {}
  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), left_.size());
    std::memcpy(into.data(), left_.data(), count);
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
};

}  // namespace mlops::data
