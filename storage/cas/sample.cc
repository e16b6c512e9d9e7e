// One count of the sample's bytes by their place modulo 8 serves all widths: the counts of the planes of 4 are sums of
// two of 8, and so on. Sizes follow from the entropy H = log2 n - (sum of c log2 c) / n of a plane's n bytes with
// counts c, corrected for the small sample (Miller 1955: + (symbols - 1) / 2n nats).
#include "storage/cas/sample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>

namespace mlops::cas {
namespace {

constexpr std::size_t kWord = 8;
constexpr std::size_t kWindows = 16;
constexpr std::size_t kWindowBytes = 256;
constexpr std::size_t kSampleBytes = kWindows * kWindowBytes;
constexpr std::size_t kMiddleBytes = 4096;
// What the coder adds to the entropy: the rounding of symbols to whole bits, and its table.
constexpr float kCoderLoss = 1.02F;
constexpr float kTableBytes = 16;
constexpr float kTableBytesPerSymbol = 0.5F;
// A wider split must promise this much more of the whole.
constexpr float kWiderGain = 0.01F;
// Repetitions are worth looking for where neighbours are equal this much more often than chance has it, and where
// symbols of at least one bit each cannot express how skewed they are.
constexpr float kBeyondChance = 0.2F;
constexpr float kSkewedBits = 0.9F;
// A plane that would not shrink to this is stored as it is.
constexpr float kWorthCoding = 0.97F;

using Counts = std::array<std::uint16_t, 256>;

// Whole words at whole words' distance from the start, from windows all over the chunk; all of a small chunk. They are
// copied first, so that the processor waits for all windows of a chunk outside its cache at once.
struct Sample {
  std::array<std::uint8_t, kSampleBytes> bytes;
  std::size_t size = 0;
};

void take_sample(ByteView raw, Sample& sample) {
  const bool is_small = raw.size() <= kSampleBytes;
  const std::size_t stride = is_small ? kWindowBytes : (raw.size() - kWindowBytes) / (kWindows - 1) / kWord * kWord;
  for (std::size_t at = 0; at < raw.size() && sample.size < kSampleBytes; at += stride) {
    const std::size_t size = std::min((raw.size() - at) / kWord * kWord, kWindowBytes);
    std::memcpy(&sample.bytes[sample.size], &raw[at], size);
    sample.size += size;
  }
}

// Of every plane of a width; planes[0 … width - 1].
using PlaneCounts = std::array<Counts, kMaxPlanes>;

void count_bytes(const Sample& sample, PlaneCounts& counts) {
  for (std::size_t at = 0; at < sample.size; at += kWord) {
    for (std::size_t lane = 0; lane < kWord; ++lane) ++counts[lane][sample.bytes[at + lane]];
  }
}

// From the planes of a width to those of half of it.
void halve(PlaneCounts& counts, std::size_t width) {
  for (std::size_t plane = 0; plane < width / 2; ++plane) {
    for (std::size_t value = 0; value < 256; ++value) counts[plane][value] += counts[plane + width / 2][value];
  }
}

// For every count c: round(c log2 c * kLogScale) + (c > 0) * kOneSymbol, so that one sum over a plane gives both.
constexpr float kLogScale = 128;
constexpr std::uint32_t kOneSymbol = 1u << 23;
static_assert(kSampleBytes * 12 * 128 < kOneSymbol);  // log2 kSampleBytes = 12

const std::array<std::uint32_t, kSampleBytes + 1>& log_table() {
  static const auto table = [] {
    std::array<std::uint32_t, kSampleBytes + 1> result{};
    for (std::size_t c = 1; c < result.size(); ++c) {
      const float count = static_cast<float>(c);
      result[c] = kOneSymbol + static_cast<std::uint32_t>(std::lround(count * std::log2(count) * kLogScale));
    }
    return result;
  }();
  return table;
}

struct Skew {
  float bits = 8;  // entropy of a byte
  float symbols = 256;
};

Skew skew_of(const Counts& counts, float bytes) {
  const auto& table = log_table();
  std::uint32_t sum = 0;
  for (const std::uint16_t count : counts) sum += table[count];
  const float symbols = static_cast<float>(sum / kOneSymbol);
  const float weighted = static_cast<float>(sum % kOneSymbol) / kLogScale;
  const float correction = (symbols - 1) / (2 * bytes) * std::numbers::log2e_v<float>;
  return {std::clamp(std::log2(bytes) - weighted / bytes + correction, 0.0F, 8.0F), symbols};
}

// Bits of a byte in a Huffman code, which gives a whole bit even to a symbol that is nearly always there; that matters
// when one symbol is more frequent than all others together, and there cannot be one above 5 bits of entropy.
float coded_bits(const Counts& counts, float bytes, const Skew& skew) {
  if (skew.symbols <= 1) return 0;
  if (skew.bits > 5) return skew.bits;
  std::uint16_t highest = 0;
  for (const std::uint16_t count : counts) highest = std::max(highest, count);
  const float most = std::min(static_cast<float>(highest) / bytes, 1 - 1 / bytes);
  if (most <= 0.5F) return skew.bits;
  const float of_most = -most * std::log2(most) - (1 - most) * std::log2(1 - most);
  return 1 + std::max(skew.bits - of_most, 0.0F);
}

PlaneEstimate estimate_plane(const Counts& counts, float sample_bytes, float plane_bytes) {
  const Skew skew = skew_of(counts, sample_bytes);
  const float bits = coded_bits(counts, sample_bytes, skew);
  const float share = bits / 8 * kCoderLoss + (kTableBytes + kTableBytesPerSymbol * skew.symbols) / plane_bytes;
  return {share < kWorthCoding ? share : 1, skew.symbols > 1 && skew.bits < kSkewedBits};
}

SplitEstimate estimate_width(const PlaneCounts& counts, std::size_t width, std::size_t sample_bytes,
                             std::size_t raw_bytes) {
  SplitEstimate result{width, 0, {}};
  for (std::size_t plane = 0; plane < width; ++plane) {
    result.planes[plane] =
        estimate_plane(counts[plane], static_cast<float>(sample_bytes / width), static_cast<float>(raw_bytes / width));
    result.share += result.planes[plane].share / static_cast<float>(width);
  }
  return result;
}

// In the machine's order: an estimate may be about the wrong plane on machines that begin with the highest byte.
std::uint64_t load_word(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// 1 in every byte where the words have equal bytes.
std::uint64_t equal_bytes(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
  const std::uint64_t difference = a ^ b;
  return (~(((difference & kLow7) + kLow7) | difference) >> 7) & 0x0101010101010101;
}

// How many bytes of each plane equal the next one of their plane in their window, as share of those looked at.
std::array<float, kMaxPlanes> equal_neighbours(const Sample& sample, std::size_t width) {
  std::array<float, kMaxPlanes> equal{};
  float words = 0;
  for (std::size_t window = 0; window < sample.size; window += kWindowBytes) {
    const std::size_t end = std::min(window + kWindowBytes, sample.size);
    std::uint64_t lanes = 0;  // a byte each, which the words of a window cannot overflow
    for (std::size_t at = window; at + width + kWord <= end; at += kWord) {
      lanes += equal_bytes(load_word(&sample.bytes[at]), load_word(&sample.bytes[at + width]));
      ++words;
    }
    for (std::size_t lane = 0; lane < kWord; ++lane) {
      equal[lane % width] += static_cast<float>((lanes >> (8 * lane)) & 0xff);
    }
  }
  for (float& share : equal) share /= std::max(words * kWord / static_cast<float>(width), 1.0F);
  return equal;
}

void mark_repeats(SplitEstimate& split, const PlaneCounts& counts, const Sample& sample) {
  const auto equal = equal_neighbours(sample, split.width);
  const float bytes = static_cast<float>(sample.size / split.width);
  for (std::size_t plane = 0; plane < split.width; ++plane) {
    std::uint64_t squares = 0;
    for (const std::uint64_t count : counts[plane]) squares += count * count;
    const float chance = static_cast<float>(squares) / (bytes * bytes);
    split.planes[plane].repeats = split.planes[plane].repeats || equal[plane] > chance + kBeyondChance;
  }
}

}  // namespace

SplitEstimate estimate_split(ByteView raw) {
  Sample sample;
  take_sample(raw, sample);
  if (sample.size == 0) return {};
  PlaneCounts counts{};
  count_bytes(sample, counts);
  PlaneCounts best_counts = counts;
  SplitEstimate best = estimate_width(counts, kMaxPlanes, sample.size, raw.size());
  for (std::size_t width = kMaxPlanes; width > 1; width /= 2) {
    halve(counts, width);
    const SplitEstimate narrower = estimate_width(counts, width / 2, sample.size, raw.size());
    if (narrower.share > best.share + kWiderGain) continue;
    best = narrower;
    best_counts = counts;
  }
  if (best.share < 1) mark_repeats(best, best_counts, sample);
  return best;
}

ByteView middle_part(ByteView raw) {
  if (raw.size() <= kMiddleBytes) return raw;
  return raw.subspan((raw.size() - kMiddleBytes) / 2, kMiddleBytes);
}

}  // namespace mlops::cas
