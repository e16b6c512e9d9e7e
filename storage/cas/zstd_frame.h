// Single zstd frames (RFC 8878) of at most one chunk, and the one place that knows libzstd.
//
// Written and accepted is only this form: the magic number, one segment (the window is the content), content size
// present, no dictionary, no checksum (the chunk's digest covers it), nothing after the frame. The frames of older
// zstd formats and skippable frames, which the library would also read, are refused.
//
// Thread-safety: a writer or reader belongs to one thread. Errors: as values, never a message of the library; a reader
// cannot tell damage from a lack of memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"

namespace mlops::cas {

enum class Effort : std::uint8_t {
  kProbe,    // repetitions only, symbols as they are: fast, tells whether there are any
  kEntropy,  // symbols only, no search for repetitions: for bytes that are skewed but do not repeat
  kBoth,     // repetitions and symbols
};

class ZstdWriter {
 public:
  ZstdWriter();
  ~ZstdWriter();
  ZstdWriter(ZstdWriter&&) noexcept;
  ZstdWriter& operator=(ZstdWriter&&) noexcept;

  // Space that write() needs for so many bytes.
  static std::size_t bound(std::size_t raw_bytes);
  // The size of the frame written to `out`; 0 if the library refused (no memory, no space).
  std::size_t write(Effort effort, ByteView raw, std::span<std::uint8_t> out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

class ZstdReader {
 public:
  ZstdReader();
  ~ZstdReader();
  ZstdReader(ZstdReader&&) noexcept;
  ZstdReader& operator=(ZstdReader&&) noexcept;
  // Whether `frame` is exactly one frame of this form that fills `raw` exactly. Writes nothing beyond `raw`.
  bool read(ByteView frame, std::span<std::uint8_t> raw);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::cas
