// Private to policies/detect: the tables behind fold.h, written by tools/fold_table.py. Sorted by code point.
// Thread-safety: static storage.
#pragma once

#include <span>
#include <string_view>

namespace mlops::detect {

struct FoldRange {
  char32_t first;
  char32_t last;
};
struct FoldRun {
  char32_t first;
  std::string_view text;
};

std::span<const FoldRange> fold_dropped();  // characters that vanish
std::span<const FoldRun> fold_runs();       // first + i becomes text[i], ASCII
std::span<const FoldRun> fold_sequences();  // first becomes the whole text, UTF-8

}  // namespace mlops::detect
