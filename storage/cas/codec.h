// How a chunk's bytes are written: as they are, compressed (zstd), or split into byte planes of which each is
// compressed or not, which is what makes floating-point weights smaller. What is written describes itself; a sample
// decides what is tried, and compression is kept only where it pays.
//
//   kRaw     the bytes
//   kZstd    one zstd frame
//   kPlanes  plane payload: see docs/format/pack.md
//
// Errors of decode: kCorrupt "chunk_damaged" for bytes that no encoder wrote; never more than `raw` is written,
// whatever the input claims. Thread-safety: an Encoder or Decoder belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "storage/cas/chunker.h"

namespace mlops::cas {

enum class Encoding : std::uint8_t { kRaw = 0, kZstd = 1, kPlanes = 2 };

struct Encoded {
  Encoding encoding = Encoding::kRaw;
  ByteView bytes;  // of the input (kRaw) or of the encoder, until its next call
};

class Encoder {
 public:
  Encoder();
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  // What encode_to() may use, whatever the result's size.
  static constexpr std::size_t kRoomBytes = kChunkMaxBytes + 4096;
  // REQUIRES: at most kChunkMaxBytes.
  Encoded encode(ByteView raw);
  // The result is in `out` or, as for encode(), the input. REQUIRES: `out` of kRoomBytes, not overlapping the input.
  Encoded encode_to(ByteView raw, std::span<std::uint8_t> out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  RawBytes out_;  // of encode()
};

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  // Fills `raw` exactly or fails.
  Status decode(Encoding encoding, ByteView stored, std::span<std::uint8_t> raw);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::cas
