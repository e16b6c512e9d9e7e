// Private to policies: whether a word is one that people write small, whatever else it may be called: "rose", "green".
// Thread-safety: free function.
#pragma once

#include <string_view>

namespace mlops::detect {

// `lower`: in lower case, without accents.
bool is_ordinary_word(std::string_view lower);

}  // namespace mlops::detect
