// The kernel of processors without a better one. An EVP context cannot take over a state nor give one away, so this is
// the one place that uses OpenSSL's low-level SHA-256, which OpenSSL 3 marks as deprecated but keeps.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>

#include "core/crypto/sha256_lanes.h"

namespace mlops::crypto::lanes {
namespace {

void compress(std::uint32_t* states, LaneData data, std::size_t blocks) {
  for (const std::uint8_t* bytes : data) {
    SHA256_CTX context;
    if (SHA256_Init(&context) != 1) std::abort();  // it cannot fail, but its signature says it might
    std::copy_n(states, kStateWords, context.h);
    if (SHA256_Update(&context, bytes, blocks * kBlockBytes) != 1) std::abort();
    std::copy_n(context.h, kStateWords, states);
    states += kStateWords;
  }
}

}  // namespace

const Kernel& openssl_kernel() {
  static constexpr Kernel kKernel{
      .width = 1, .worthwhile = 1, .word_stride = 1, .lane_stride = kStateWords, .compress = compress};
  return kKernel;
}

}  // namespace mlops::crypto::lanes
