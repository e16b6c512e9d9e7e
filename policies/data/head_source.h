// Private to policies/data: a source whose first bytes can be looked at before they are read. Thread-safety: one
// thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "policies/data/stream.h"

namespace mlops::data {

class HeadSource : public Source {
 public:
  explicit HeadSource(Source& inner) : inner_(inner) {}

  // The first `size_bytes` bytes, fewer when the source ends. REQUIRES: before the first read().
  Result<std::string_view> look(std::size_t size_bytes) {
    while (head_.size() < size_bytes) {
      constexpr std::size_t kStepBytes = 16u << 10;
      const std::size_t before = head_.size();
      const std::size_t step = std::min(kStepBytes, size_bytes - before);
      head_.resize(before + step);
      auto count = inner_.read({head_.data() + before, step});
      head_.resize(before + (count ? *count : 0));
      if (!count) return fail(std::move(count.error()));
      if (*count == 0) break;
    }
    return std::string_view(head_);
  }

  Result<std::size_t> read(std::span<char> into) override {
    if (given_ == head_.size()) return inner_.read(into);
    const std::size_t count = std::min(into.size(), head_.size() - given_);
    std::memcpy(into.data(), head_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  Source& inner_;
  std::string head_;
  std::size_t given_ = 0;
};

}  // namespace mlops::data
