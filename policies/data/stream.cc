#include "policies/data/stream.h"

#include <algorithm>
#include <cstring>

namespace mlops::data {

Result<std::size_t> StringSource::read(std::span<char> into) {
  const std::size_t count = std::min(into.size(), rest_.size());
  if (count > 0) std::memcpy(into.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

}  // namespace mlops::data
