// What a few KiB of a chunk tell about its bytes: which width of elements makes the byte planes most regular, and how
// small each plane would become. An estimate for deciding what to try, never for what to store.
//
// Thread-safety: pure.
#pragma once

#include <array>
#include <cstddef>

#include "core/base/bytes.h"
#include "storage/cas/planes.h"

namespace mlops::cas {

struct PlaneEstimate {
  float share = 1;       // expected size after coding its symbols, by its size
  bool repeats = false;  // whether looking for repetitions promises more than coding symbols
};

struct SplitEstimate {
  std::size_t width = 1;  // 1, 2, 4 or 8; 1: not split
  float share = 1;        // of the whole
  std::array<PlaneEstimate, kMaxPlanes> planes;
};

SplitEstimate estimate_split(ByteView raw);

// A contiguous part from the middle, on which the compressor itself may be tried.
ByteView middle_part(ByteView raw);

}  // namespace mlops::cas
