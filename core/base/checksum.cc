#include "core/base/checksum.h"

#include <xxhash.h>

#include <cstdlib>

namespace mlops {
namespace {

// The library fails only without memory for its state.
void must(bool succeeded) {
  if (!succeeded) std::abort();
}

}  // namespace

std::uint64_t xxh3_64(ByteView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

struct Checksum64::State {
  struct Free {
    void operator()(XXH3_state_t* handle) const { XXH3_freeState(handle); }
  };
  std::unique_ptr<XXH3_state_t, Free> handle{XXH3_createState()};
};

Checksum64::Checksum64(std::uint64_t seed) : state_(std::make_unique<State>()) {
  must(state_->handle && XXH3_64bits_reset_withSeed(state_->handle.get(), seed) == XXH_OK);
}
Checksum64::~Checksum64() = default;
Checksum64::Checksum64(Checksum64&&) noexcept = default;
Checksum64& Checksum64::operator=(Checksum64&&) noexcept = default;

void Checksum64::update(ByteView bytes) {
  if (bytes.empty()) return;  // its pointer may be null, which the library calls an error
  must(XXH3_64bits_update(state_->handle.get(), bytes.data(), bytes.size()) == XXH_OK);
}

std::uint64_t Checksum64::finish() const {
  return XXH3_64bits_digest(state_->handle.get());
}

}  // namespace mlops
