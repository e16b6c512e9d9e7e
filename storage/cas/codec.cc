#include "storage/cas/codec.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "storage/cas/planes.h"
#include "storage/cas/sample.h"
#include "storage/cas/zstd_frame.h"

namespace mlops::cas {
namespace {

// Below this a frame's own bytes eat what it could save.
constexpr std::size_t kSmallestBytes = 64;
// What is stored must be this share of the raw bytes or less, or they are stored as they are: reading raw bytes is
// free, and so is not compressing them.
constexpr double kWorthStoring = 0.97;
// A single plane is compressed as soon as it gains about what its decoding costs.
constexpr double kWorthPlane = 0.98;

bool pays(std::size_t stored, std::size_t raw, double worth) {
  return stored != 0 && static_cast<double>(stored) <= static_cast<double>(raw) * worth;
}

struct Plan {
  Encoding encoding = Encoding::kRaw;
  Effort effort = Effort::kEntropy;  // of kZstd
  SplitEstimate split;               // of kPlanes
};

}  // namespace

class Encoder::Impl {
 public:
  Impl() : planes_(std::make_unique_for_overwrite<std::uint8_t[]>(kChunkMaxBytes)) {}

  Encoded encode(ByteView raw, std::span<std::uint8_t> room) {
    out_ = room;
    const Plan plan = make_plan(raw);
    std::size_t stored = 0;
    if (plan.encoding == Encoding::kZstd) stored = zstd_.write(plan.effort, raw, out());
    if (plan.encoding == Encoding::kPlanes) stored = write_planes(raw, plan.split);
    if (!pays(stored, raw.size(), kWorthStoring)) return {Encoding::kRaw, raw};
    return {plan.encoding, out().first(stored)};
  }

 private:
  std::span<std::uint8_t> out() { return out_; }

  // Repetitions are looked for with the compressor in its fastest form, on a part, and only where it finds some is it
  // tried in earnest: floats, compressed files and noise have none.
  Plan make_plan(ByteView raw) {
    if (raw.size() < kSmallestBytes || raw.size() > kChunkMaxBytes) return {};
    Plan plan;
    plan.split = estimate_split(raw);
    const ByteView middle = middle_part(raw);
    if (pays(zstd_.write(Effort::kProbe, middle, out()), middle.size(), kWorthStoring)) {
      const auto tried = static_cast<double>(zstd_.write(Effort::kBoth, middle, out()));
      if (tried < plan.split.share * static_cast<double>(middle.size())) {
        plan.encoding = Encoding::kZstd;
        plan.effort = Effort::kBoth;
        return plan;
      }
    }
    if (plan.split.share > kWorthStoring) return plan;
    plan.encoding = plan.split.width == 1 ? Encoding::kZstd : Encoding::kPlanes;
    return plan;
  }

  // The planes that stay as they are and come before the first other are split straight to where they are stored.
  std::size_t write_planes(ByteView raw, const SplitEstimate& split) {
    const std::size_t width = split.width;
    const std::size_t plane_bytes = raw.size() / width;
    const auto is_kept = [](const PlaneEstimate& plane) { return plane.share >= 1; };
    const std::size_t in_place =
        std::find_if_not(split.planes.begin(), split.planes.end(), is_kept) - split.planes.begin();
    PlaneTargets targets{};
    for (std::size_t plane = 0; plane < width; ++plane) {
      std::uint8_t* stored_at = out_.data() + plane_heads_bytes(width) + plane * plane_bytes;
      targets[plane] = plane < in_place ? stored_at : planes_.get() + plane * plane_bytes;
    }
    split_planes(raw, width, targets);
    std::array<StoredPlane, kMaxPlanes> stored;
    std::size_t end = plane_heads_bytes(width);
    for (std::size_t plane = 0; plane < width; ++plane) {
      stored[plane] = store_plane({targets[plane], plane_bytes}, split.planes[plane], end);
      end += stored[plane].bytes.size();
    }
    write_plane_heads(width, stored, out_.data());
    const ByteView tail = raw.last(raw.size() % width);
    std::copy(tail.begin(), tail.end(), out_.data() + end);
    return end + tail.size();
  }

  // Writes a plane to out_ at `at`, where it may be already.
  StoredPlane store_plane(ByteView plane, const PlaneEstimate& estimate, std::size_t at) {
    const std::span<std::uint8_t> to = out().subspan(at);
    if (plane.data() == to.data()) return {PlaneMethod::kRaw, plane};
    if (estimate.share < 1) {
      const std::size_t size = zstd_.write(estimate.repeats ? Effort::kBoth : Effort::kEntropy, plane, to);
      if (pays(size, plane.size(), kWorthPlane)) return {PlaneMethod::kZstd, to.first(size)};
    }
    std::memcpy(to.data(), plane.data(), plane.size());
    return {PlaneMethod::kRaw, to.first(plane.size())};
  }

  ZstdWriter zstd_;
  std::unique_ptr<std::uint8_t[]> planes_;
  std::span<std::uint8_t> out_;  // of the call going on
};

Encoder::Encoder() : impl_(std::make_unique<Impl>()) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Encoded Encoder::encode(ByteView raw) {
  if (out_.empty()) out_.resize(kRoomBytes);
  return impl_->encode(raw, out_);
}

Encoded Encoder::encode_to(ByteView raw, std::span<std::uint8_t> out) {
  return impl_->encode(raw, out);
}

class Decoder::Impl {
 public:
  bool decode(Encoding encoding, ByteView stored, std::span<std::uint8_t> raw) {
    switch (encoding) {
      case Encoding::kRaw:
        if (stored.size() != raw.size()) return false;
        std::copy(stored.begin(), stored.end(), raw.begin());
        return true;
      case Encoding::kZstd:
        return zstd_.read(stored, raw);
      case Encoding::kPlanes:
        return read_planes(parse_planes(stored, raw.size()), raw);
    }
    return false;
  }

 private:
  // Planes stored as they are are merged from where they lie.
  bool read_planes(const PlanePayload& payload, std::span<std::uint8_t> raw) {
    if (payload.width == 0) return false;
    const std::size_t plane_bytes = raw.size() / payload.width;
    if (scratch_.size() < raw.size()) scratch_.resize(raw.size());
    PlaneSources sources{};
    std::uint8_t* next = scratch_.data();
    for (std::size_t plane = 0; plane < payload.width; ++plane) {
      sources[plane] = payload.planes[plane].bytes.data();
      if (payload.planes[plane].method == PlaneMethod::kRaw) continue;
      if (!zstd_.read(payload.planes[plane].bytes, {next, plane_bytes})) return false;
      sources[plane] = next;
      next += plane_bytes;
    }
    merge_planes(sources, payload.width, raw);
    std::copy(payload.tail.begin(), payload.tail.end(), raw.end() - static_cast<std::ptrdiff_t>(payload.tail.size()));
    return true;
  }

  ZstdReader zstd_;
  std::vector<std::uint8_t> scratch_;
};

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Status Decoder::decode(Encoding encoding, ByteView stored, std::span<std::uint8_t> raw) {
  if (impl_->decode(encoding, stored, raw)) return {};
  return fail(ErrorCode::kCorrupt, "chunk_damaged", "a stored chunk does not decode to its size",
              "run `mlopsctl fsck --read-data`; pushing the file again heals it");
}

}  // namespace mlops::cas
