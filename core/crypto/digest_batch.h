// SHA-256 of several independent byte strings at once. One core computes two interleaved hashes in the time of one, and
// four in less than twice that (reference: dm-verity's interleaved hashing; measured figures in docs/PERFORMANCE.md),
// so everything that has several strings to hash comes here. The engine is chosen once, by what the processor can do;
// OpenSSL is the fallback and the oracle of the tests.
//
// Thread-safety: the functions are pure; a StreamHasher belongs to one thread.
// Ownership: views are borrowed for a call.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"

namespace mlops::crypto {

namespace lanes {
struct Kernel;
}

enum class Sha256Engine { kOpenssl, kShaNi, kAvx2, kAvx512 };
std::string_view to_word(Sha256Engine engine);
// Those that this processor can run, the best first; kOpenssl is always the last.
const std::vector<Sha256Engine>& sha256_engines();

// digests[i] = SHA-256(inputs[i]), inputs of any, also very different, lengths. REQUIRES: equally many of both.
void sha256_batch(std::span<const ByteView> inputs, std::span<Digest> digests);
// With a chosen one, for tests and benchmarks. REQUIRES: the engine is one of sha256_engines().
void sha256_batch_with(Sha256Engine engine, std::span<const ByteView> inputs, std::span<Digest> digests);

// A running SHA-256 whose blocks are interleaved with those of other strings. A copy goes on from where it was made.
class StreamHasher {
 public:
  StreamHasher();
  // For tests and benchmarks. A stream is one string, so the lanes of kAvx2 and kAvx512 are of no use to it: it takes
  // OpenSSL instead. REQUIRES: the engine is one of sha256_engines().
  explicit StreamHasher(Sha256Engine engine);

  void update(ByteView bytes);
  // As update(piece), and SHA-256 of the piece itself, both in one pass over it.
  Digest update_and_digest(ByteView piece);
  // Bytes so far.
  std::uint64_t size_bytes() const { return size_bytes_; }
  // REQUIRES: called once, nothing after it.
  Digest finish();

 private:
  // Of the bytes that wait in partial_ for the rest of their block.
  std::size_t partial_bytes() const { return size_bytes_ % partial_.size(); }
  // Moves bytes to the waiting block, if there is one, until it is full; returns the others.
  ByteView fill_partial(ByteView bytes);
  // The full blocks of a piece, and as many of the stream; returns what the stream has left then.
  ByteView compress_bodies(ByteView piece);
  void compress_both(const std::uint8_t* of_stream, const std::uint8_t* of_piece, std::size_t blocks);

  const lanes::Kernel* kernel_;
  std::array<std::uint32_t, 16> states_{};  // the stream's, then that of the piece of update_and_digest
  std::array<std::uint8_t, 64> partial_{};
  std::uint64_t size_bytes_ = 0;
};

}  // namespace mlops::crypto
