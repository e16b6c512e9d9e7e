#include "core/base/id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <span>

#include "core/base/bytes.h"

namespace mlops {
namespace {

// Layout (RFC 9562, section 5.7): 48 bits of milliseconds, version 7, 12 bits of counter, variant 10, 62 random bits.
constexpr std::uint16_t kCounterMax = 0x0fff;
constexpr std::uint16_t kCounterStartMask = 0x07ff;  // leaves room for 2048 ids before the time is pushed ahead
constexpr std::size_t kIdBytes = 16;

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    // Without randomness ids would collide; there is no way to go on.
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

struct Tick {
  std::uint64_t time_ms;
  std::uint16_t counter;
};

// The next (time, counter) pair, above every one handed out before, whatever the clock does.
Tick next_tick(std::uint64_t now_ms, std::uint16_t random) {
  static std::mutex mutex;
  static Tick last{0, kCounterMax};
  const std::lock_guard lock(mutex);
  if (now_ms > last.time_ms) {
    last = {now_ms, static_cast<std::uint16_t>(random & kCounterStartMask)};
  } else if (last.counter < kCounterMax) {
    ++last.counter;
  } else {
    last = {last.time_ms + 1, static_cast<std::uint16_t>(random & kCounterStartMask)};
  }
  return last;
}

}  // namespace

std::string new_id(const Clock& clock) {
  std::array<std::uint8_t, kIdBytes> id;
  fill_random(id);
  const auto now_us = clock.now_us();
  const auto tick = next_tick(now_us > 0 ? static_cast<std::uint64_t>(now_us) / 1000 : 0,
                              static_cast<std::uint16_t>(id[6] << 8 | id[7]));
  for (int i = 0; i < 6; ++i) id[i] = static_cast<std::uint8_t>(tick.time_ms >> (40 - 8 * i));
  id[6] = static_cast<std::uint8_t>(0x70 | tick.counter >> 8);
  id[7] = static_cast<std::uint8_t>(tick.counter);
  id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3f));

  const std::string hex = to_hex(id);
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

}  // namespace mlops
