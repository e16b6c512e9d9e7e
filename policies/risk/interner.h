// Numbers for texts and for tuples of numbers: equal in, equal out, in the order of first appearance.
//
// Exact: the hash only finds a slot, what stands there is compared whole, so no two different values ever share a
// number. The hash is seeded from the system's randomness, so that a table cannot be written to collide; the numbers do
// not depend on the seed. Memory: text bytes + 24 a text; 4 bytes a field + 8 a tuple. Not thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace mlops::risk {

using Code = std::uint32_t;
inline constexpr Code kNoCode = std::numeric_limits<Code>::max();

// A seed nobody outside knows; falls back on the clock where the system has no randomness.
std::uint64_t hash_seed();

// The open-addressing table both interners share: slots of codes, at most half full.
class SlotTable {
 public:
  // The code whose item `equal(code)` holds, or kNoCode with `slot` set to where it belongs.
  template <class Equal>
  Code find(std::uint64_t hash, std::size_t& slot, const Equal& equal) const {
    const std::size_t mask = slots_.size() - 1;
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (slot = hash & mask; slots_[slot].code != kNoCode; slot = (slot + 1) & mask) {
      if (slots_[slot].tag == tag && equal(slots_[slot].code)) return slots_[slot].code;
    }
    return kNoCode;
  }
  void put(std::size_t slot, std::uint64_t hash, Code code) {
    slots_[slot] = {code, static_cast<std::uint32_t>(hash >> 32)};
    ++used_;
  }
  bool is_full() const { return used_ * 2 >= slots_.size(); }
  // REQUIRES: hash_of(code) gives the hash its item was put with.
  template <class HashOf>
  void grow(const HashOf& hash_of) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    used_ = 0;
    for (const auto& slot : old) {
      if (slot.code == kNoCode) continue;
      const auto hash = hash_of(slot.code);
      std::size_t at = 0;
      find(hash, at, [](Code) { return false; });
      put(at, hash, slot.code);
    }
  }
  std::size_t size_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    Code code = kNoCode;
    std::uint32_t tag = 0;
  };
  std::vector<Slot> slots_ = std::vector<Slot>(16);
  std::size_t used_ = 0;
};

class TextInterner {
 public:
  explicit TextInterner(std::uint64_t seed) : seed_(seed) {}
  Code code_of(std::string_view text);
  std::string_view text(Code code) const { return texts_[code]; }
  std::size_t size() const { return texts_.size(); }
  std::size_t size_bytes() const {
    return stored_bytes_ + texts_.size() * sizeof(std::string_view) + slots_.size_bytes();
  }

 private:
  std::string_view store(std::string_view text);

  std::uint64_t seed_;
  SlotTable slots_;
  std::vector<std::string_view> texts_;  // into blocks_
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_at_ = nullptr;
  std::size_t stored_bytes_ = 0;
};

class TupleInterner {
 public:
  TupleInterner(std::size_t width, std::uint64_t seed) : width_(width), seed_(seed) {}
  // REQUIRES: tuple.size() == width().
  Code code_of(std::span<const Code> tuple);
  std::span<const Code> tuple(Code code) const { return {codes_.data() + std::size_t{code} * width_, width_}; }
  std::size_t width() const { return width_; }
  std::size_t size() const { return count_; }
  std::size_t size_bytes() const { return codes_.capacity() * sizeof(Code) + slots_.size_bytes(); }

 private:
  std::size_t width_;
  std::uint64_t seed_;
  SlotTable slots_;
  std::vector<Code> codes_;
  std::size_t count_ = 0;
};

}  // namespace mlops::risk
