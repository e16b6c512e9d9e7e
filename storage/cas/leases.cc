#include "storage/cas/leases.h"

#include <algorithm>

#include "storage/cas/little_endian.h"

namespace mlops::cas {

std::uint64_t Leases::short_key(const ObjectKey& key) {
  return load_le<std::uint64_t>(key.digest.bytes().data()) ^ static_cast<std::uint64_t>(key.kind);
}

void Leases::renew(const ObjectKey& key) {
  const auto now_us = clock_.now_us();
  std::lock_guard lock(mutex_);
  ends_us_[short_key(key)] = now_us + length_us_;
  if (ends_us_.size() >= sweep_at_) drop_ended(now_us);
}

bool Leases::holds(const ObjectKey& key) const {
  const auto now_us = clock_.now_us();
  std::lock_guard lock(mutex_);
  const auto found = ends_us_.find(short_key(key));
  return found != ends_us_.end() && found->second > now_us;
}

void Leases::drop_ended(TimestampUs now_us) {
  std::erase_if(ends_us_, [now_us](const auto& lease) { return lease.second <= now_us; });
  sweep_at_ = std::max<std::size_t>(1u << 16, ends_us_.size() * 2);
}

}  // namespace mlops::cas
