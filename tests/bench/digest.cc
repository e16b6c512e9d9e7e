// Micro benchmark of SHA-256: every engine over batches of chunks and of small files, and a stream with the digests of
// its chunks, beside OpenSSL's EVP in the same run. Figures are minima of kRuns runs, in GB/s (10⁹ bytes) of input on
// one core; the ratio is to EVP over the same strings. Usage: bench_digest → a table on stdout.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "core/crypto/digest_batch.h"

namespace {

using mlops::ByteView;
using mlops::crypto::Digest;

constexpr int kRuns = 25;
constexpr std::size_t kDataBytes = 64 << 20;

struct Load {
  const char* name;
  std::size_t string_bytes;
  std::size_t data_bytes;  // of each run: what fits the second-level cache measures the engine, more the memory as well
  std::size_t repeats;
};

constexpr Load kLoads[] = {
    {"64 KiB chunks, in cache", 64 << 10, 1 << 20, 16},
    {"64 KiB chunks, in memory", 64 << 10, kDataBytes, 1},
    {"10 KB files", 10'000, kDataBytes, 1},
    {"3 KB files", 3'000, kDataBytes, 1},
    {"50-byte texts", 50, 400'000, 20},
};

std::vector<std::uint8_t> make_data() {
  std::vector<std::uint8_t> data(kDataBytes);
  std::uint64_t state = 1;
  for (std::uint8_t& byte : data) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return data;
}

// Seconds of the fastest run of each, run by turns so that a slow spell of the machine meets all.
std::vector<double> fastest(const std::vector<std::function<void()>>& works) {
  std::vector<double> best(works.size(), 1e9);
  for (int run = 0; run < kRuns; ++run) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const auto before = std::chrono::steady_clock::now();
      works[i]();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - before;
      best[i] = std::min(best[i], taken.count());
    }
  }
  return best;
}

void print(const char* load, const std::string& what, double bytes, double seconds, double evp_seconds) {
  std::printf("%-26s %-22s %6.2f GB/s  %5.2f x EVP\n", load, what.c_str(), bytes / seconds / 1e9,
              evp_seconds / seconds);
}

// The rival: one context that is begun anew for each string.
void evp_each(EVP_MD_CTX* context, const EVP_MD* method, const std::vector<ByteView>& inputs,
              std::vector<Digest>& digests) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::array<std::uint8_t, 32> bytes;
    if (EVP_DigestInit_ex2(context, method, nullptr) != 1 ||
        EVP_DigestUpdate(context, inputs[i].data(), inputs[i].size()) != 1 ||
        EVP_DigestFinal_ex(context, bytes.data(), nullptr) != 1) {
      std::abort();
    }
    digests[i] = Digest(bytes);
  }
}

void compare(const std::vector<Digest>& expected, const std::vector<Digest>& digests, const std::string& what) {
  if (expected == digests) return;
  std::fprintf(stderr, "bench_digest: wrong digests: %s\n", what.c_str());
  std::exit(1);
}

void bench_batches(const Load& load, const std::vector<std::uint8_t>& data, EVP_MD_CTX* context, const EVP_MD* method) {
  std::vector<ByteView> inputs;
  for (std::size_t at = 0; at + load.string_bytes <= load.data_bytes; at += load.string_bytes) {
    inputs.push_back(ByteView(data).subspan(at, load.string_bytes));
  }
  const auto& engines = mlops::crypto::sha256_engines();
  std::vector<std::vector<Digest>> digests(engines.size() + 1, std::vector<Digest>(inputs.size()));
  std::vector<std::function<void()>> works = {[&] {
    for (std::size_t i = 0; i < load.repeats; ++i) evp_each(context, method, inputs, digests[0]);
  }};
  for (std::size_t engine = 0; engine < engines.size(); ++engine) {
    works.emplace_back([&, engine] {
      for (std::size_t i = 0; i < load.repeats; ++i) {
        mlops::crypto::sha256_batch_with(engines[engine], inputs, digests[engine + 1]);
      }
    });
  }
  const std::vector<double> seconds = fastest(works);
  const double bytes = static_cast<double>(inputs.size() * load.string_bytes * load.repeats);
  print(load.name, "EVP", bytes, seconds[0], seconds[0]);
  for (std::size_t engine = 0; engine < engines.size(); ++engine) {
    const std::string what(to_word(engines[engine]));
    compare(digests[0], digests[engine + 1], what);
    print(load.name, what, bytes, seconds[engine + 1], seconds[0]);
  }
}

// Chunks of a length that is no multiple of a block, so that the stream's blocks are not the chunks'.
void bench_stream(const std::vector<std::uint8_t>& data, EVP_MD_CTX* context, const EVP_MD* method) {
  constexpr std::size_t kChunkBytes = (64 << 10) + 23;
  std::vector<ByteView> chunks;
  for (std::size_t at = 0; at + kChunkBytes <= data.size(); at += kChunkBytes) {
    chunks.push_back(ByteView(data).subspan(at, kChunkBytes));
  }
  const std::vector<ByteView> whole = {ByteView(data).first(chunks.size() * kChunkBytes)};
  std::vector<Digest> evp_whole(1), evp_chunks(chunks.size()), our_whole(1), our_chunks(chunks.size()), alone(1);
  const std::vector<double> seconds = fastest({
      [&] { evp_each(context, method, whole, evp_whole); },
      [&] {
        mlops::crypto::StreamHasher stream;
        for (const ByteView chunk : chunks) stream.update(chunk);
        alone[0] = stream.finish();
      },
      [&] {
        evp_each(context, method, whole, evp_whole);
        evp_each(context, method, chunks, evp_chunks);
      },
      [&] {
        mlops::crypto::StreamHasher stream;
        for (std::size_t i = 0; i < chunks.size(); ++i) our_chunks[i] = stream.update_and_digest(chunks[i]);
        our_whole[0] = stream.finish();
      },
  });
  compare(evp_whole, alone, "update");
  compare(evp_whole, our_whole, "update_and_digest, stream");
  compare(evp_chunks, our_chunks, "update_and_digest, chunks");
  const double bytes = static_cast<double>(whole[0].size());
  print("stream", "EVP", bytes, seconds[0], seconds[0]);
  print("stream", "update", bytes, seconds[1], seconds[0]);
  print("stream and its chunks", "EVP, two passes", bytes, seconds[2], seconds[2]);
  print("stream and its chunks", "update_and_digest", bytes, seconds[3], seconds[2]);
}

}  // namespace

int main() {
  const std::vector<std::uint8_t> data = make_data();
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  for (const Load& load : kLoads) bench_batches(load, data, context, method);
  bench_stream(data, context, method);
  EVP_MD_free(method);
  EVP_MD_CTX_free(context);
  return 0;
}
