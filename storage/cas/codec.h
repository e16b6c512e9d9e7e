// How a chunk's bytes are written: as they are, compressed (zstd), or split into byte planes of which each is compressed
// or not, which is what makes floating-point weights smaller. What is written describes itself; a sample decides what is
// tried, and compression is kept only where it pays.
//
//   kRaw     the bytes
//   kZstd    one zstd frame
//   kPlanes  plane payload: see docs/format/pack.md
//
// Errors of decode: kCorrupt "chunk_damaged" for bytes that no encoder wrote; never more than `raw` is written, whatever
// the input claims. Thread-safety: an Encoder or Decoder belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"

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
  // REQUIRES: at most kChunkMaxBytes.
  Encoded encode(ByteView raw);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
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
