#include "storage/cas/object_index.h"

#include <utility>

#include "storage/cas/little_endian.h"

namespace mlops::cas {
namespace {

constexpr std::size_t kFirstSlots = 1024;

}  // namespace

ObjectIndex::ObjectIndex() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {}

std::uint64_t ObjectIndex::fingerprint(const ObjectKey& key) {
  // A digest is evenly distributed already; the kind keeps a root record apart from its node.
  return load_le<std::uint64_t>(key.digest.bytes().data()) ^ (std::uint64_t{static_cast<std::uint8_t>(key.kind)} << 56);
}

void ObjectIndex::place(std::uint64_t fingerprint, ObjectAt at) {
  std::size_t i = fingerprint & mask_;
  while (slots_[i].at.pack != kFree) i = (i + 1) & mask_;
  slots_[i] = {fingerprint, at};
}

void ObjectIndex::insert(const ObjectKey& key, ObjectAt at) {
  if ((used_ + 1) * 10 > slots_.size() * 7) grow();
  place(fingerprint(key), at);
  ++used_;
}

void ObjectIndex::erase(const ObjectKey& key, ObjectAt at) {
  const auto wanted = fingerprint(key);
  for (std::size_t i = wanted & mask_; slots_[i].at.pack != kFree; i = (i + 1) & mask_) {
    if (slots_[i].fingerprint != wanted || slots_[i].at != at) continue;
    slots_[i].at.pack = kErased;
    ++erased_;
    return;
  }
}

// Also sheds what was erased: the size doubles only when live objects need it.
void ObjectIndex::grow() {
  const bool needs_room = (used_ - erased_) * 10 > slots_.size() * 4;
  auto old = std::exchange(slots_, std::vector<Slot>(needs_room ? slots_.size() * 2 : slots_.size()));
  mask_ = slots_.size() - 1;
  used_ -= erased_;
  erased_ = 0;
  for (const auto& slot : old) {
    if (slot.at.pack != kFree && slot.at.pack != kErased) place(slot.fingerprint, slot.at);
  }
}

}  // namespace mlops::cas
