#include "core/crypto/secret_memory.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <bitset>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace mlops::crypto {
namespace {

constexpr std::size_t kSlotBytes = 64;
constexpr std::size_t kChunkBytes = 16384;
constexpr std::size_t kSlots = kChunkBytes / kSlotBytes;

std::uint8_t* map_pages(std::size_t size_bytes) {
  void* const memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  ::mlock(memory, size_bytes);  // beyond the limit it fails, and the pages are as good as any other's
  ::madvise(memory, size_bytes, MADV_DONTDUMP);
  return static_cast<std::uint8_t*>(memory);
}

std::size_t slots_for(std::size_t size_bytes) {
  return (size_bytes + kSlotBytes - 1) / kSlotBytes;
}

class Chunk {
 public:
  // nullptr: no row of free slots is long enough.
  std::uint8_t* take(std::size_t count) {
    std::size_t run = 0;
    for (std::size_t i = 0; i < kSlots; ++i) {
      run = used_[i] ? 0 : run + 1;
      if (run < count) continue;
      const std::size_t first = i + 1 - count;
      mark(first, count, true);
      return base_ + first * kSlotBytes;
    }
    return nullptr;
  }
  bool holds(const std::uint8_t* memory) const { return memory >= base_ && memory < base_ + kChunkBytes; }
  void release(const std::uint8_t* memory, std::size_t count) {
    mark(static_cast<std::size_t>(memory - base_) / kSlotBytes, count, false);
  }

 private:
  void mark(std::size_t first, std::size_t count, bool used) {
    for (std::size_t i = first; i < first + count; ++i) used_[i] = used;
  }

  std::uint8_t* base_ = map_pages(kChunkBytes);
  std::bitset<kSlots> used_;
};

struct Arena {
  std::mutex mutex;
  std::vector<Chunk> chunks;
};

// Never destroyed: keys of static objects outlive it otherwise.
Arena& arena() {
  static Arena* const instance = new Arena;
  return *instance;
}

}  // namespace

std::uint8_t* take_secret_memory(std::size_t size_bytes) {
  const std::size_t count = slots_for(size_bytes);
  if (count > kSlots) return map_pages(size_bytes);
  std::lock_guard lock(arena().mutex);
  for (auto& chunk : arena().chunks) {
    if (auto* const memory = chunk.take(count)) return memory;
  }
  return arena().chunks.emplace_back().take(count);
}

void release_secret_memory(std::uint8_t* memory, std::size_t size_bytes) {
  OPENSSL_cleanse(memory, size_bytes);
  const std::size_t count = slots_for(size_bytes);
  if (count > kSlots) {
    ::munmap(memory, size_bytes);
    return;
  }
  std::lock_guard lock(arena().mutex);
  for (auto& chunk : arena().chunks) {
    if (chunk.holds(memory)) return chunk.release(memory, count);
  }
  std::abort();  // not taken here
}

}  // namespace mlops::crypto
