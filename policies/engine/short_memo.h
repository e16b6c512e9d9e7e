// What is known of short values met lately: a table without chains that forgets the older of two that meet. Private to
// policies/engine.
//
// A value is known by all its bytes, so another one is never taken for it. Thread-safety: belongs to one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace mlops::policy {

// All bytes of a text of at most kLongest bytes in three numbers.
struct ShortText {
  static constexpr std::size_t kLongest = 16;

  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;

  // REQUIRES: text.size() <= kLongest.
  static ShortText of(std::string_view text) {
    const char* const begin = text.data();
    const std::size_t size = text.size();
    if (size >= 8) return {load<std::uint64_t>(begin), load<std::uint64_t>(begin + size - 8), size};
    if (size >= 4) return {load<std::uint32_t>(begin), load<std::uint32_t>(begin + size - 4), size};
    ShortText one{.size = size};
    for (std::size_t i = 0; i < size; ++i) one.first = one.first << 8 | static_cast<unsigned char>(begin[i]);
    return one;
  }
  bool operator==(const ShortText&) const = default;
  std::uint64_t hash() const {
    return (first ^ std::rotl(last, 29) ^ size) * 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio
  }

 private:
  template <class Word>
  static Word load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
};

// REQUIRES: kSlotBits > 0.
template <class Value, unsigned kSlotBits>
class ShortMemo {
 public:
  // nullptr: not known.
  Value* find(const ShortText& text) {
    if (slots_.empty()) return nullptr;
    auto& slot = slots_[text.hash() >> (64 - kSlotBits)];
    return slot.is_filled && slot.text == text ? &slot.value : nullptr;
  }
  // The place for what is known of the text; it holds what an earlier one left.
  Value& put(const ShortText& text) {
    if (slots_.empty()) slots_.resize(std::size_t{1} << kSlotBits);
    auto& slot = slots_[text.hash() >> (64 - kSlotBits)];
    slot.text = text;
    slot.is_filled = true;
    return slot.value;
  }
  void clear() { slots_.clear(); }

 private:
  struct Slot {
    ShortText text;
    Value value{};
    bool is_filled = false;
  };
  std::vector<Slot> slots_;  // made when the first value comes
};

}  // namespace mlops::policy
