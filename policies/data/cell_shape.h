// What kind of text one cell is, by its bytes. Thread-safety: free functions without state.
#pragma once

#include <string_view>

namespace mlops::data {

enum class NumberShape { kNone, kInteger, kReal };
// -12, 98.6, 1.5e-3: sign? digits [. digits] [e sign? digits], and nothing else.
NumberShape number_shape(std::string_view text);
// Pieces between blanks.
int count_words(std::string_view text);

}  // namespace mlops::data
