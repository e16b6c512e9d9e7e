// Choices that follow from a key: the same key, label and text always choose alike, and nobody else can tell what.
// Thread-safety: free functions. REQUIRES: a key that is not empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policies/mask/key.h"

namespace mlops::mask {

inline crypto::Mac choose(const WorkingKey& key, std::string_view label, std::string_view text) {
  std::string message(label);
  message.push_back('\0');
  return key.choice->one(message.append(text));
}

// The `index`-th of four numbers of 64 bits.
inline std::uint64_t choice_number(const crypto::Mac& mac, std::size_t index) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = (number << 8) | mac[8 * index + i];
  return number;
}

// From 0 to below - 1; of a 64-bit number the bias is below 2^-32 for what is asked here.
inline std::uint64_t choice_below(const crypto::Mac& mac, std::size_t index, std::uint64_t below) {
  return choice_number(mac, index) % below;
}

// From 0 to below 1, in steps of 2^-53.
inline double choice_unit(const crypto::Mac& mac, std::size_t index) {
  return static_cast<double>(choice_number(mac, index) >> 11) * 0x1p-53;
}

}  // namespace mlops::mask
