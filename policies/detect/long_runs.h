// Private to policies/detect: the long runs of a text, without reading all of it.
//
// A run of `least` bytes or more has one at every `least`-th place, so only these are looked at, and what surrounds
// those that belong: words of prose end soon. Thread-safety: pure function. Linear in the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace mlops::detect {

// Calls take(begin, end) for each maximal run of bytes for which is_member(char) holds. REQUIRES: least > 0.
template <class IsMember, class Take>
void for_each_long_run(std::string_view text, std::size_t least, const IsMember& is_member, const Take& take) {
  std::size_t done = 0;
  for (std::size_t probe = least - 1; probe < text.size();) {
    if (!is_member(text[probe])) {
      probe += least;
      continue;
    }
    std::size_t begin = probe;
    while (begin > done && is_member(text[begin - 1])) --begin;
    std::size_t end = probe + 1;
    while (end < text.size() && is_member(text[end])) ++end;
    if (end - begin >= least) take(begin, end);
    done = end;
    probe = end + least;
  }
}

}  // namespace mlops::detect
