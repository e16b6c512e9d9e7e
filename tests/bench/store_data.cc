// The data that tests/bench/store_bench.py stores: the same bytes for the same arguments on one machine (libm decides
// the last bit of a normal value).
//
//   bench_store_data float32 SIZE SEED FILE    normal random values, as float32
//   bench_store_data bfloat16 SIZE SEED FILE   normal random values × 0.02, rounded to bfloat16: weights
//   bench_store_data random SIZE SEED FILE     bytes that nothing compresses
//   bench_store_data islands SIZE SEED FILE    4 KiB of random bytes every 64 KiB, holes between: large on little disk
//   bench_store_data variant A B               B is A with 1 % of new float32 values in 20 regions and 1,000 bytes
//                                              inserted near the start; prints the number of bytes that are new
//   bench_store_data files N SIZE DIR          N random files of SIZE bytes ±30 % in 200 folders; prints their total
//
// SIZE in bytes. Exit 1 with a message when a file cannot be read or written.
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kBlockBytes = 1u << 20;
constexpr std::size_t kIslandBytes = 4u << 10;
constexpr std::size_t kIslandEveryBytes = 64u << 10;
constexpr std::uint64_t kRegions = 20;
constexpr std::uint64_t kInsertedBytes = 1000;
constexpr std::uint64_t kInsertedAt = 4096;
constexpr std::uint64_t kFolders = 200;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bench_store_data: %s\n", what.c_str());
  std::exit(1);
}

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

File open_file(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) die("cannot open " + path);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  return file;
}

void write_all(const File& file, const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, file.get()) != size) die("a write failed");
}

// SplitMix64: one addition and three mixing steps a word. The seed is mixed too: neighbouring seeds would otherwise
// give the same words, shifted.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mixed(seed ^ 0x2545f4914f6cdd1du)) {}

  std::uint64_t word() {
    state_ += 0x9e3779b97f4a7c15u;
    return mixed(state_);
  }

  // Two independent normal values (Box and Muller).
  void normal_pair(float& first, float& second) {
    const std::uint64_t bits = word();
    const float uniform = (static_cast<float>(bits >> 40) + 1.0f) * 0x1p-24f;  // in (0, 1]
    const float angle = static_cast<float>(bits & 0xffffffu) * (6.2831853f * 0x1p-24f);
    const float radius = std::sqrt(-2.0f * std::log(uniform));
    first = radius * std::cos(angle);
    second = radius * std::sin(angle);
  }

 private:
  static std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
  }

  std::uint64_t state_;
};

void fill_random(Random& random, std::uint8_t* out, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = random.word();
    std::memcpy(out + at, &word, std::min<std::size_t>(8, size - at));
  }
}

void fill_float32(Random& random, std::uint8_t* out, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 8) {
    float pair[2];
    random.normal_pair(pair[0], pair[1]);
    std::memcpy(out + at, pair, std::min<std::size_t>(8, size - at));
  }
}

std::uint16_t to_bfloat16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);  // to nearest, ties to even
}

void fill_bfloat16(Random& random, std::uint8_t* out, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 4) {
    float pair[2];
    random.normal_pair(pair[0], pair[1]);
    const std::uint16_t halves[2] = {to_bfloat16(pair[0] * 0.02f), to_bfloat16(pair[1] * 0.02f)};
    std::memcpy(out + at, halves, std::min<std::size_t>(4, size - at));
  }
}

using Fill = void (*)(Random&, std::uint8_t*, std::size_t);

void write_filled(const std::string& path, std::uint64_t size, std::uint64_t seed, Fill fill) {
  Random random(seed);
  std::vector<std::uint8_t> block(kBlockBytes);
  const auto file = open_file(path, "wb");
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, size - done));
    fill(random, block.data(), piece);
    write_all(file, block.data(), piece);
    done += piece;
  }
}

void write_islands(const std::string& path, std::uint64_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> island(kIslandBytes);
  const auto file = open_file(path, "wb");
  for (std::uint64_t at = 0; at + kIslandBytes <= size; at += kIslandEveryBytes) {
    fill_random(random, island.data(), island.size());
    if (fseeko(file.get(), static_cast<off_t>(at), SEEK_SET) != 0) die("a seek failed");
    write_all(file, island.data(), island.size());
  }
  if (truncate(path.c_str(), static_cast<off_t>(size)) != 0) die("a truncate failed");
}

std::uint64_t size_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) die("cannot see " + path);
  return static_cast<std::uint64_t>(found.st_size);
}

// Copies A, replacing what lies in a region. Regions are evenly spread and keep 16 bytes' alignment.
void write_variant(const std::string& from, const std::string& to) {
  const std::uint64_t size = size_of(from);
  const std::uint64_t region = size / 100 / kRegions / 16 * 16;
  const std::uint64_t spacing = size / kRegions / 16 * 16;
  const std::uint64_t first = (spacing - region) / 2 / 16 * 16;
  if (region == 0 || size < kBlockBytes) die("A is too small for a variant");
  Random random(size ^ 0xb);
  std::vector<std::uint8_t> block(kBlockBytes), fresh(std::max<std::uint64_t>(region, kInsertedBytes));
  const auto in = open_file(from, "rb"), out = open_file(to, "wb");
  std::uint64_t at = 0;
  const auto copy_to = [&](std::uint64_t end) {
    while (at < end) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, end - at));
      if (std::fread(block.data(), 1, piece, in.get()) != piece) die("a read failed");
      write_all(out, block.data(), piece);
      at += piece;
    }
  };
  copy_to(kInsertedAt);
  fill_float32(random, fresh.data(), kInsertedBytes);
  write_all(out, fresh.data(), kInsertedBytes);
  for (std::uint64_t i = 0; i < kRegions; ++i) {
    copy_to(i * spacing + first);
    fill_float32(random, fresh.data(), region);
    write_all(out, fresh.data(), region);
    at += region;
    if (fseeko(in.get(), static_cast<off_t>(at), SEEK_SET) != 0) die("a seek failed");
  }
  copy_to(size);
  std::printf("%llu\n", static_cast<unsigned long long>(region * kRegions + kInsertedBytes));
}

void write_files(std::uint64_t count, std::uint64_t size, const std::string& root) {
  Random random(count ^ size);
  std::vector<std::uint8_t> bytes(size * 13 / 10 + 16);
  std::uint64_t total = 0;
  char name[64];
  mkdir(root.c_str(), 0777);
  for (std::uint64_t i = 0; i < std::min(kFolders, count); ++i) {
    std::snprintf(name, sizeof name, "/part-%03u", static_cast<unsigned>(i));
    if (mkdir((root + name).c_str(), 0777) != 0) die("cannot make " + root + name);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto wanted = static_cast<std::size_t>(size * 7 / 10 + random.word() % (size * 6 / 10 + 1));
    fill_random(random, bytes.data(), wanted);
    std::snprintf(name, sizeof name, "/part-%03u/%07u.bin", static_cast<unsigned>(i % kFolders),
                  static_cast<unsigned>(i));
    write_all(open_file(root + name, "wb"), bytes.data(), wanted);
    total += wanted;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(total));
}

std::uint64_t number(const char* word) {
  char* end = nullptr;
  const auto value = std::strtoull(word, &end, 10);
  if (end == word || *end != '\0') die(std::string(word) + " is not a number");
  return value;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view kind = count > 1 ? words[1] : "";
  struct Kind {
    std::string_view word;
    Fill fill;
  };
  constexpr Kind kFilled[] = {{"float32", fill_float32}, {"bfloat16", fill_bfloat16}, {"random", fill_random}};
  const auto filled = std::find_if(std::begin(kFilled), std::end(kFilled), [&](auto& row) { return row.word == kind; });
  if (filled != std::end(kFilled) && count == 5) {
    write_filled(words[4], number(words[2]), number(words[3]), filled->fill);
  } else if (kind == "islands" && count == 5) {
    write_islands(words[4], number(words[2]), number(words[3]));
  } else if (kind == "variant" && count == 4) {
    write_variant(words[2], words[3]);
  } else if (kind == "files" && count == 5) {
    write_files(number(words[2]), number(words[3]), words[4]);
  } else {
    die("float32|bfloat16|random|islands SIZE SEED FILE, variant A B, or files N SIZE DIR");
  }
  return 0;
}
