#include "cli/cmd/pack_scan.h"

#include <algorithm>

namespace mlops::cli {
namespace {

// Of the head at the front, or of the frame at `offset`; 0: the rest is needed to tell; nullopt: nothing whole is here.
std::optional<std::size_t> whole_bytes(const BackupPack& pack, std::uint64_t offset, ByteView rest, PackPart part,
                                       PackScan& out) {
  const auto missing = part == PackPart::kMoreFollows ? std::optional<std::size_t>(0) : std::nullopt;
  if (rest.size() < cas::kFrameHeadBytes) return missing;
  if (offset == 0) {
    const auto head = cas::parse_pack_head(rest);
    if (!head || head->pack_id != pack.id || head->created_at_us != pack.born_us) return {};
    return cas::kPackHeadBytes;
  }
  auto entry = cas::parse_frame_head(rest);
  if (!entry) return {};
  const auto size = static_cast<std::size_t>(entry->frame_bytes());
  if (rest.size() < size) return missing;
  if (!cas::check_frame(*entry, rest.first(size))) return {};
  entry->offset = offset;
  out.entries.push_back(*entry);
  return size;
}

void add_gap(std::vector<PackGap>& gaps, std::uint64_t offset, std::size_t size) {
  if (!gaps.empty() && gaps.back().offset + gaps.back().size_bytes == offset) {
    gaps.back().size_bytes += size;
  } else {
    gaps.push_back({offset, size});
  }
}

}  // namespace

PackScan scan_pack(const BackupPack& pack, std::uint64_t offset, ByteView bytes, PackPart part) {
  PackScan out;
  while (out.used_bytes < bytes.size()) {
    const auto at = offset + out.used_bytes;
    const auto rest = bytes.subspan(out.used_bytes);
    const auto whole = whole_bytes(pack, at, rest, part, out);
    if (whole && *whole == 0) break;
    const auto step = whole.value_or(std::min(rest.size(), cas::kFrameAlign));
    if (!whole) add_gap(out.gaps, at, step);
    out.used_bytes += step;
  }
  return out;
}

}  // namespace mlops::cli
