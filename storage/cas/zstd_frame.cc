#include "storage/cas/zstd_frame.h"

#define ZSTD_STATIC_LINKING_ONLY  // for the name of ZSTD_c_literalCompressionMode; no other unstable name is used
#include <zstd.h>

#include <array>
#include <cstring>

namespace mlops::cas {
namespace {

struct FreeWriter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeReader {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using WriterContext = std::unique_ptr<ZSTD_CCtx, FreeWriter>;
using ReaderContext = std::unique_ptr<ZSTD_DCtx, FreeReader>;

// Negative levels leave symbols uncompressed. With the strategy "fast", the target length is the step between two
// looks for a repetition: a step as long as a block means none, which is four times as fast on the exponents of floats
// as level 1 and smaller as well, since their chance repetitions cost more than their symbols.
WriterContext make_context(Effort effort) {
  WriterContext context(ZSTD_createCCtx());
  if (!context) return nullptr;
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    return !ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), parameter, value));
  };
  bool ok = set(ZSTD_c_compressionLevel, effort == Effort::kProbe ? -1 : 1) && set(ZSTD_c_checksumFlag, 0);
  if (effort == Effort::kEntropy) {
    ok = ok && set(ZSTD_c_strategy, ZSTD_fast) && set(ZSTD_c_hashLog, ZSTD_HASHLOG_MIN) &&
         set(ZSTD_c_targetLength, ZSTD_TARGETLENGTH_MAX) && set(ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
  }
  return ok ? std::move(context) : nullptr;
}

// The first bytes of the only form there is; the library checks the rest.
bool has_our_header(ByteView frame) {
  constexpr std::array<std::uint8_t, 4> kMagic{0x28, 0xb5, 0x2f, 0xfd};
  constexpr std::uint8_t kFormMask = 0x3f;  // all of the descriptor but the width of the content size
  constexpr std::uint8_t kOneSegment = 0x20;
  return frame.size() > kMagic.size() && std::memcmp(frame.data(), kMagic.data(), kMagic.size()) == 0 &&
         (frame[kMagic.size()] & kFormMask) == kOneSegment;
}

}  // namespace

class ZstdWriter::Impl {
 public:
  std::size_t write(Effort effort, ByteView raw, std::span<std::uint8_t> out) {
    WriterContext& context = contexts_[static_cast<std::size_t>(effort)];
    if (!context) context = make_context(effort);
    if (!context) return 0;
    const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), raw.data(), raw.size());
    return ZSTD_isError(size) ? 0 : size;
  }

 private:
  // One each: a context that changes its parameters lays out its memory anew.
  std::array<WriterContext, 3> contexts_;
};

ZstdWriter::ZstdWriter() : impl_(std::make_unique<Impl>()) {}
ZstdWriter::~ZstdWriter() = default;
ZstdWriter::ZstdWriter(ZstdWriter&&) noexcept = default;
ZstdWriter& ZstdWriter::operator=(ZstdWriter&&) noexcept = default;

std::size_t ZstdWriter::bound(std::size_t raw_bytes) {
  return ZSTD_compressBound(raw_bytes);
}

std::size_t ZstdWriter::write(Effort effort, ByteView raw, std::span<std::uint8_t> out) {
  return impl_->write(effort, raw, out);
}

class ZstdReader::Impl {
 public:
  bool read(ByteView frame, std::span<std::uint8_t> raw) {
    if (!context_) context_.reset(ZSTD_createDCtx());
    if (!context_ || raw.empty() || !has_our_header(frame)) return false;
    if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != raw.size()) return false;
    if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) return false;
    return ZSTD_decompressDCtx(context_.get(), raw.data(), raw.size(), frame.data(), frame.size()) == raw.size();
  }

 private:
  ReaderContext context_;
};

ZstdReader::ZstdReader() : impl_(std::make_unique<Impl>()) {}
ZstdReader::~ZstdReader() = default;
ZstdReader::ZstdReader(ZstdReader&&) noexcept = default;
ZstdReader& ZstdReader::operator=(ZstdReader&&) noexcept = default;

bool ZstdReader::read(ByteView frame, std::span<std::uint8_t> raw) {
  return impl_->read(frame, raw);
}

}  // namespace mlops::cas
