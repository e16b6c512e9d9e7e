// Where an object lies, in memory: an open-addressing table from the first eight bytes of its digest to pack and entry.
// 16 bytes an object at most 70 % full; the entry itself tells whether it is the one (the table may hold several for a
// key). Derived from the packs' indexes at start. Thread-safety: none; the pack store guards it.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/cas/object.h"

namespace mlops::cas {

struct ObjectAt {
  std::uint32_t pack = 0;   // slot of the pack store
  std::uint32_t entry = 0;  // in that pack
  auto operator<=>(const ObjectAt&) const = default;
};

class ObjectIndex {
 public:
  ObjectIndex();
  void insert(const ObjectKey& key, ObjectAt at);
  void erase(const ObjectKey& key, ObjectAt at);
  // Visits every candidate until `visit` gives true; its answer comes back.
  template <class Visit>
  bool find(const ObjectKey& key, Visit visit) const {
    const auto wanted = fingerprint(key);
    for (std::size_t i = wanted & mask_;; i = (i + 1) & mask_) {
      const auto& slot = slots_[i];
      if (slot.at.pack == kFree) return false;
      if (slot.at.pack != kErased && slot.fingerprint == wanted && visit(slot.at)) return true;
    }
  }
  std::size_t size() const { return used_ - erased_; }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;
  static constexpr std::uint32_t kErased = 0xfffffffe;
  struct Slot {
    std::uint64_t fingerprint = 0;
    ObjectAt at{kFree, 0};
  };
  static std::uint64_t fingerprint(const ObjectKey& key);
  void place(std::uint64_t fingerprint, ObjectAt at);
  void grow();

  std::vector<Slot> slots_;
  std::size_t mask_;
  std::size_t used_ = 0;  // erased ones included
  std::size_t erased_ = 0;
};

}  // namespace mlops::cas
