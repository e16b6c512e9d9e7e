// Whether the packs hold what they should: every frame against its checksum, every chunk against its SHA-256, every
// index against its pack. What is found damaged is set aside.
//
// Errors: those of reading. Thread-safety: thread-safe; may run beside everything else. Units: bytes.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "storage/cas/content_store.h"

namespace mlops::cas {

struct CheckOptions {
  double sample = 1.0;                      // share of the packs' objects that is read, 0..1
  std::uint64_t seed = 0;                   // of the choice
  std::uint64_t bytes_per_second = 0;       // budget; 0: as fast as it goes
  const std::atomic<bool>* stop = nullptr;  // becomes true: end early
};

struct CheckReport {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // read
  std::vector<Problem> problems;
};

Result<CheckReport> check_packs(ContentStore& store, const CheckOptions& options);
// Objects set aside as damaged and not healed since.
std::vector<Problem> damaged_objects(ContentStore& store);

}  // namespace mlops::cas
