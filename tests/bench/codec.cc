// Speed and size of chunks on one core: cutting, encoding, decoding. Usage: bench_codec [MIB]; one line a kind of data,
// each figure the best of 7 passes over the same memory.
//
//   float32, bfloat16   normal random numbers, as the weights of a model
//   csv                 a table of text and numbers
//   random              what cannot be compressed
#include "storage/cas/codec.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/cas/chunker.h"

namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;
using mlops::ByteView;

constexpr int kPasses = 7;

Bytes normal_floats(std::size_t size, std::size_t kept_bytes) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  Bytes bytes(size / kept_bytes * kept_bytes);
  for (std::size_t at = 0; at < bytes.size(); at += kept_bytes) {
    const float value = normal(random);
    std::uint8_t raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    std::memcpy(&bytes[at], raw + sizeof value - kept_bytes, kept_bytes);
  }
  return bytes;
}

Bytes table_text(std::size_t size) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(120, 15);
  std::string text;
  for (std::uint64_t row = 0; text.size() < size; ++row) {
    char line[128];
    std::snprintf(line, sizeof line, "%08llx,%s,%d,%.1f,2024-%02d-%02d,ward %d\n",
                  static_cast<unsigned long long>(row * 2654435761U % 0xffffffffU), random() % 2 ? "female" : "male",
                  static_cast<int>(random() % 90), normal(random), static_cast<int>(random() % 12 + 1),
                  static_cast<int>(random() % 28 + 1), static_cast<int>(random() % 40));
    text += line;
  }
  return {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)};
}

Bytes random_bytes(std::size_t size) {
  std::mt19937_64 random(3);
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 32);
  return bytes;
}

template <class Work>
double best_seconds(Work work) {
  double best = 1e9;
  for (int pass = 0; pass < kPasses; ++pass) {
    const auto before = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - before).count());
  }
  return best;
}

std::vector<ByteView> cut(ByteView bytes) {
  std::vector<ByteView> chunks;
  while (!bytes.empty()) {
    const std::size_t size = mlops::cas::cut_chunk(bytes);
    chunks.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return chunks;
}

void measure(const char* name, const Bytes& bytes) {
  std::vector<ByteView> chunks;
  const double cut_seconds = best_seconds([&] { chunks = cut(bytes); });
  mlops::cas::Encoder encoder;
  std::size_t stored_bytes = 0;
  const double encode_seconds = best_seconds([&] {
    stored_bytes = 0;
    for (const ByteView chunk : chunks) stored_bytes += encoder.encode(chunk).bytes.size();
  });
  std::vector<std::pair<mlops::cas::Encoding, Bytes>> stored;
  for (const ByteView chunk : chunks) {
    const auto encoded = encoder.encode(chunk);
    stored.emplace_back(encoded.encoding, Bytes(encoded.bytes.begin(), encoded.bytes.end()));
  }
  mlops::cas::Decoder decoder;
  Bytes back(mlops::cas::kChunkMaxBytes);
  bool is_same = true;
  const auto decode_all = [&](bool compare) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const std::span<std::uint8_t> raw(back.data(), chunks[i].size());
      is_same = decoder.decode(stored[i].first, stored[i].second, raw).has_value() && is_same;
      if (compare) is_same = std::equal(raw.begin(), raw.end(), chunks[i].begin()) && is_same;
    }
  };
  decode_all(true);
  const double decode_seconds = best_seconds([&] { decode_all(false); });
  const double size = static_cast<double>(bytes.size());
  std::printf("%-9s cut %5.2f GB/s  encode %5.2f  decode %5.2f  stored/raw %.4f  mean chunk %.1f KiB%s\n", name,
              size / cut_seconds / 1e9, size / encode_seconds / 1e9, size / decode_seconds / 1e9,
              static_cast<double>(stored_bytes) / size, size / 1024 / static_cast<double>(chunks.size()),
              is_same ? "" : "  DIFFERS");
  if (!is_same) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t size = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 64) << 20;
  measure("float32", normal_floats(size, 4));
  measure("bfloat16", normal_floats(size, 2));
  measure("csv", table_text(size));
  measure("random", random_bytes(size));
}
