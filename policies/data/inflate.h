// Private to policies/data: gzip and zlib, inflated up to a bound. Thread-safety: free function without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mlops::data {

enum class InflateEnd { kWhole, kDamaged, kTooLarge };

struct Inflated {
  std::string bytes;  // as far as it went
  InflateEnd end = InflateEnd::kDamaged;
};

// The members of a gzip file or one zlib stream; what follows is left alone.
Inflated inflate_bytes(std::string_view packed, std::size_t max_bytes);

}  // namespace mlops::data
