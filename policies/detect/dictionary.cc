#include "policies/detect/dictionary.h"

#include <array>
#include <bit>
#include <cstring>

// The assembler maps the file as it is; a compiler would need minutes for an array of its bytes.
asm(R"(
  .pushsection .rodata
  .balign 64
  .globl mlops_detect_words
  .hidden mlops_detect_words
mlops_detect_words:
  .incbin ")" MLOPS_WORDS_FILE R"("
  .popsection
)");
extern "C" const unsigned char mlops_detect_words[];

namespace mlops::detect {
namespace {

static_assert(std::endian::native == std::endian::little, "words.bin is read in place");

constexpr std::size_t kHeaderBytes = 512;
constexpr unsigned kRestBits = 16;

struct Tables {
  unsigned bucket_bits;
  const std::uint32_t* offsets;
  const std::uint16_t* rests;
  const std::uint32_t* payloads;
};

// REQUIRES: `at` is aligned for T, as the layout of words.bin makes it.
template <class T>
const T* table_at(std::size_t at) {
  return reinterpret_cast<const T*>(mlops_detect_words + at);
}

Tables make_tables() {
  const auto bucket_bits = *table_at<std::uint32_t>(kHeaderBytes - 8);
  const auto entries = *table_at<std::uint32_t>(kHeaderBytes - 4);
  const std::size_t rests = kHeaderBytes + ((std::size_t{1} << bucket_bits) + 2) * sizeof(std::uint32_t);
  return {bucket_bits, table_at<std::uint32_t>(kHeaderBytes), table_at<std::uint16_t>(rests),
          table_at<std::uint32_t>(rests + entries * sizeof(std::uint16_t))};
}

// FNV-1a and the finisher of MurmurHash3, as tools/build_dictionaries.py has them.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }
  std::uint64_t finished() const {
    std::uint64_t value = value_ ^ (value_ >> 33);
    value *= 0xFF51AFD7ED558CCDu;
    return value ^ (value >> 33);
  }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

Word find(std::uint64_t hash) {
  static const Tables kTables = make_tables();
  const auto bucket = hash >> (64 - kTables.bucket_bits);
  const auto rest = static_cast<std::uint16_t>(hash >> (64 - kRestBits - kTables.bucket_bits));
  for (std::uint32_t i = kTables.offsets[bucket]; i < kTables.offsets[bucket + 1]; ++i) {
    if (kTables.rests[i] == rest) return {kTables.payloads[i]};
  }
  return {};
}

}  // namespace

Word look_up(std::string_view lower) {
  Hash hash;
  hash.add(lower);
  return find(hash.finished());
}

PlaceMatch longest_place(std::span<const std::string_view> words) {
  PlaceMatch best;
  if (words.empty()) return best;
  Hash hash;
  hash.add(words[0]);
  const Word first = find(hash.finished());
  if (first.has(kPlace)) best = {1, first};
  if (!first.has(kPlaceStart)) return best;
  for (std::size_t count = 2; count <= words.size() && count <= kMostPlaceWords; ++count) {
    hash.add(" ");
    hash.add(words[count - 1]);
    if (const Word phrase = find(hash.finished()); phrase.has(kPlace)) best = {count, phrase};
  }
  return best;
}

}  // namespace mlops::detect
