// Bytes of a pack, looked at frame by frame: which objects lie there whole, and where nothing readable lies.
// Thread-safety: pure functions. Units: bytes, counted in the pack.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/cmd/backup_record.h"
#include "core/base/bytes.h"
#include "storage/cas/frame.h"

namespace mlops::cli {

struct PackGap {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

enum class PackPart { kMoreFollows, kLast };

struct PackScan {
  std::size_t used_bytes = 0;  // whole frames and gaps; all of `bytes` for the last part
  std::vector<cas::PackEntry> entries;
  std::vector<PackGap> gaps;
};

// `bytes` lie at `offset` of the pack. What may be the beginning of a frame that goes on in the next part is not used.
// REQUIRES: a frame, or the pack's head, begins at `offset`.
PackScan scan_pack(const BackupPack& pack, std::uint64_t offset, ByteView bytes, PackPart part);

}  // namespace mlops::cli
