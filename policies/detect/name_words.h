// Private to policies/detect: what a single word is known as, when only names matter (dictionary.h has the bits, the
// places and the grades). Thread-safety: free function.
#pragma once

#include <string_view>

#include "policies/detect/dictionary.h"

namespace mlops::detect {

// The bits of a lower-case word without accents; 0 for an unknown one.
inline unsigned name_word(std::string_view lower) {
  return look_up(lower).bits();
}

}  // namespace mlops::detect
