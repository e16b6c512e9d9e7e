// Where a file is cut into chunks: content-defined (gear hash, normalised: FastCDC, Xia et al., USENIX ATC 2016), so
// that an insertion moves the cuts with the bytes. Format version 1: minimum 16 KiB, target 64 KiB, maximum 256 KiB;
// table, masks and sizes are part of the format and never change under the same version.
//
// Thread-safety: pure. Units: bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace mlops::cas {

inline constexpr std::uint8_t kChunkingVersion = 1;
inline constexpr std::size_t kChunkMinBytes = 16u << 10;
inline constexpr std::size_t kChunkTargetBytes = 64u << 10;
inline constexpr std::size_t kChunkMaxBytes = 256u << 10;

// Size of the first chunk of `bytes`; 0 only for no bytes. REQUIRES: at least kChunkMaxBytes, or all up to the end of
// the file.
std::size_t cut_chunk(ByteView bytes);

}  // namespace mlops::cas
