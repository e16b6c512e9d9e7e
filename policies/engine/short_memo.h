// What is known of short values met lately: a table without chains that forgets the older of two that meet. Private to
// policies/engine.
//
// A value is known by all its bytes, so another one is never taken for it. Thread-safety: belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::policy {

// All bytes of a text of at most kLongest bytes, zeros behind them.
struct ShortText {
  static constexpr std::size_t kLongest = 16;

  std::uint64_t low = 0;  // the first eight, the first of them lowest
  std::uint64_t high = 0;
  std::size_t size = 0;

  // REQUIRES: text.size() <= kLongest.
  static ShortText of(std::string_view text) {
    const char* const begin = text.data();
    const std::size_t size = text.size();
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    constexpr std::size_t kHalf = kWord / 2;
    ShortText one{.size = size};
    if (size > kWord) {
      one.low = load<std::uint64_t>(begin);
      one.high = load<std::uint64_t>(begin + size - kWord) >> 8 * (2 * kWord - size);
    } else if (size >= kHalf) {
      const std::uint64_t rest = load<std::uint32_t>(begin + size - kHalf);
      one.low = load<std::uint32_t>(begin) | rest << 8 * (size - kHalf);
    } else {
      for (std::size_t i = 0; i < size; ++i) one.low |= std::uint64_t{static_cast<unsigned char>(begin[i])} << 8 * i;
    }
    return one;
  }
  bool operator==(const ShortText&) const = default;
  // The bytes it was made of.
  std::string text() const {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>(i < sizeof(low) ? low >> 8 * i : high >> 8 * (i - sizeof(low)));
    }
    return bytes;
  }
  std::uint64_t hash() const {
    return (low ^ std::rotl(high, 29) ^ size) * 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio
  }
  // Digits, of which one behind the first may be a point instead.
  bool is_plain_number() const {
    std::uint64_t others = non_digits(low, std::min<std::size_t>(size, 8));
    const std::uint64_t more = size > 8 ? non_digits(high, size - 8) : 0;
    if ((others | more) == 0) return size > 0;
    const bool is_one = others == 0 || more == 0;
    const std::uint64_t word = others != 0 ? low : high;
    if (!is_one || (others & 0x80) != 0) return false;
    others |= more;
    if ((others & (others - 1)) != 0) return false;
    return static_cast<char>(word >> (std::countr_zero(others) - 7)) == '.';
  }
  bool has_point() const {
    return non_digits(low, std::min<std::size_t>(size, 8)) != 0 || (size > 8 && non_digits(high, size - 8) != 0);
  }

 private:
  // The high bit of each of the first `count` bytes that is no digit.
  static std::uint64_t non_digits(std::uint64_t word, std::size_t count) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080u;
    const std::uint64_t values = word ^ 0x3030303030303030u;
    const std::uint64_t above_nine = ((values & ~kHighBits) + 0x7676767676767676u) | values;
    const std::uint64_t counted = count >= 8 ? kHighBits : kHighBits & ((std::uint64_t{1} << 8 * count) - 1);
    return above_nine & counted;
  }
  template <class Word>
  static Word load(const char* from) {
    std::array<char, sizeof(Word)> bytes;
    std::memcpy(bytes.data(), from, bytes.size());
    if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
    return std::bit_cast<Word>(bytes);
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
    return slot.text == text ? &slot.value : nullptr;
  }
  // The place for what is known of the text; it holds what an earlier one left.
  Value& put(const ShortText& text) {
    return put(text, [](const ShortText&, const Value&) {});
  }
  // Calls forget(text, value) for the one that has to make room.
  template <class Forget>
  Value& put(const ShortText& text, const Forget& forget) {
    if (slots_.empty()) slots_.resize(std::size_t{1} << kSlotBits);
    auto& slot = slots_[text.hash() >> (64 - kSlotBits)];
    if (slot.text != kNoText && slot.text != text) forget(slot.text, slot.value);
    slot.text = text;
    return slot.value;
  }
  // Calls visit(text, value) for all that is known.
  template <class Visit>
  void visit_all(const Visit& visit) {
    for (auto& slot : slots_) {
      if (slot.text != kNoText) visit(slot.text, slot.value);
    }
  }
  void clear() { slots_.clear(); }

 private:
  static constexpr ShortText kNoText{.size = ShortText::kLongest + 1};
  struct Slot {
    ShortText text = kNoText;
    Value value{};
  };
  std::vector<Slot> slots_;  // made when the first value comes
};

}  // namespace mlops::policy
