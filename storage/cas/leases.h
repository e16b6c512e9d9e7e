// What somebody was told is here, or has just used, stays for a while even when nothing refers to it yet: a push that
// was told "have" must find it at its end. Kept in memory: a restart ends the pushes too, and what then registers a
// version checks its bytes again. Of a key only 64 bits are kept; a clash keeps a stranger's object a little longer.
// Thread-safety: thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/base/clock.h"
#include "storage/cas/object.h"

namespace mlops::cas {

class Leases {
 public:
  Leases(const Clock& clock, std::int64_t length_us) : clock_(clock), length_us_(length_us) {}
  void renew(const ObjectKey& key);
  bool holds(const ObjectKey& key) const;
  std::int64_t length_us() const { return length_us_; }

 private:
  static std::uint64_t short_key(const ObjectKey& key);
  void drop_ended(TimestampUs now_us);

  const Clock& clock_;
  const std::int64_t length_us_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, TimestampUs> ends_us_;
  std::size_t sweep_at_ = 1u << 16;
};

}  // namespace mlops::cas
