// One core's speed of cutting, encoding and decoding chunks, on the first bytes of a file. Unlike the rest of
// tests/bench it links a room of the product (storage/cas): what it tells cannot be seen from outside the processes.
//
//   bench_store_codec FILE [MIB]
//
// The first MIB (64) of the file; one line of JSON: bytes, and GB per CPU second, the best of five passes.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "storage/cas/chunker.h"
#include "storage/cas/codec.h"

namespace {

using namespace mlops;

constexpr int kPasses = 5;

struct Stored {
  std::size_t raw_bytes = 0;
  cas::Encoding encoding = cas::Encoding::kRaw;
  std::vector<std::uint8_t> bytes;
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "bench_store_codec: %s\n", what);
  std::exit(1);
}

std::vector<std::uint8_t> read_first(const char* path, std::size_t limit_bytes) {
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) die("cannot open the file");
  std::vector<std::uint8_t> bytes(limit_bytes);
  bytes.resize(std::fread(bytes.data(), 1, limit_bytes, file));
  std::fclose(file);
  if (bytes.empty()) die("the file is empty");
  return bytes;
}

// Of this thread: what others do with the cores is left out.
double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Best of the passes over `size_bytes`, in GB/s.
template <typename Pass>
double best_gb_per_s(std::size_t size_bytes, const Pass& pass) {
  double best_s = 1e9;
  for (int i = 0; i < kPasses; ++i) {
    const double before_s = cpu_s();
    pass();
    best_s = std::min(best_s, cpu_s() - before_s);
  }
  return static_cast<double>(size_bytes) / best_s / 1e9;
}

std::vector<ByteView> cut(ByteView all) {
  std::vector<ByteView> chunks;
  while (!all.empty()) {
    const auto size = cas::cut_chunk(all);
    chunks.push_back(all.subspan(0, size));
    all = all.subspan(size);
  }
  return chunks;
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) die("FILE [MIB]");
  const std::size_t mebibytes = count > 2 ? std::strtoull(words[2], nullptr, 10) : 64;
  const auto bytes = read_first(words[1], mebibytes << 20);
  std::vector<ByteView> chunks;
  const double cut_rate = best_gb_per_s(bytes.size(), [&] { chunks = cut(bytes); });
  cas::Encoder encoder;
  std::vector<Stored> stored;
  for (const auto chunk : chunks) {
    const auto encoded = encoder.encode(chunk);
    stored.push_back({chunk.size(), encoded.encoding, {encoded.bytes.begin(), encoded.bytes.end()}});
  }
  const double encode_rate = best_gb_per_s(bytes.size(), [&] {
    for (const auto chunk : chunks) encoder.encode(chunk);
  });
  cas::Decoder decoder;
  std::vector<std::uint8_t> raw(cas::kChunkMaxBytes);
  const double decode_rate = best_gb_per_s(bytes.size(), [&] {
    for (const auto& chunk : stored) {
      if (!decoder.decode(chunk.encoding, chunk.bytes, std::span(raw).first(chunk.raw_bytes))) die("damaged chunk");
    }
  });
  std::size_t stored_bytes = 0;
  for (const auto& chunk : stored) stored_bytes += chunk.bytes.size();
  std::printf(
      "{\"raw_bytes\":%zu,\"stored_bytes\":%zu,\"chunks\":%zu,\"cut_gb_s\":%.3f,\"encode_gb_s\":%.3f,"
      "\"decode_gb_s\":%.3f}\n",
      bytes.size(), stored_bytes, chunks.size(), cut_rate, encode_rate, decode_rate);
  return 0;
}
