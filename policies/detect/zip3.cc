#include "policies/detect/zip3.h"

#include <cstdint>

namespace mlops::detect {
namespace {

// Bit p of the table: prefix p has residents (a ZIP Code Tabulation Area, 2020 Census; 894 prefixes).
constexpr std::uint64_t kPrefixes[16] = {
    0xFF7FFFFFFFFFFEC0, 0xFFFFFFF003FFFFFF, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFDFFFFE,
    0xFF7FFFFFFFFFDFFF, 0xFF7FFFFDED6FEFFF, 0xFFFFCFF7FFFF7FFF, 0xDFFFFFFFFFFFF7FF,
    0xFCFFF6FFFEDDFF1F, 0xFEFFDFFFFFFFDFF3, 0xB03FFBFFFF77FDF3, 0xFFFFFFBFCFFFF7DF,
    0xFFF1FFFFFFFFFFF7, 0xEC1FEEC39BBCFB7F, 0xFFFFBBFDFFFFDFD6, 0x000000FFF7FFFD83,
};

}  // namespace

bool zip3_is_populated(int prefix) {
  return prefix >= 0 && prefix < 1000 && ((kPrefixes[prefix / 64] >> (prefix % 64)) & 1u) != 0;
}

}  // namespace mlops::detect
