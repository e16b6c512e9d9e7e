#include "core/base/checksum.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tests/unit/catch.h"

using namespace mlops;

namespace {

std::string sample(std::size_t size_bytes) {
  std::string text(size_bytes, '\0');
  std::uint32_t state = 1;
  for (auto& byte : text) byte = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

}  // namespace

TEST_CASE("checksum: published values of XXH3, so that files outlive the library") {
  CHECK(xxh3_64({}) == 0x2d06800538d394c2u);
  CHECK(xxh3_64(as_bytes("abc")) == 0x78af5f94892f3950u);
  CHECK(xxh3_64(as_bytes("abc"), 1) != xxh3_64(as_bytes("abc")));
}

TEST_CASE("checksum: pieces give the value of the whole, with and without a seed") {
  for (const std::size_t size : {0u, 1u, 3u, 8u, 16u, 17u, 128u, 129u, 240u, 241u, 256u, 1023u, 1024u, 1025u, 9000u}) {
    const auto text = sample(size);
    for (const std::uint64_t seed : {std::uint64_t{0}, ~std::uint64_t{0}}) {
      for (const std::size_t piece : {1u, 7u, 64u, 255u, 4096u}) {
        Checksum64 sum(seed);
        sum.update({});
        for (std::size_t at = 0; at < size; at += piece)
          sum.update(as_bytes(text).subspan(at, std::min(piece, size - at)));
        CAPTURE(size, seed, piece);
        CHECK(sum.finish() == xxh3_64(as_bytes(text), seed));
      }
    }
  }
}

TEST_CASE("checksum: finish can be asked on the way, and a sum can move") {
  Checksum64 first;
  first.update(as_bytes("ab"));
  CHECK(first.finish() == xxh3_64(as_bytes("ab")));
  Checksum64 second = std::move(first);
  second.update(as_bytes("c"));
  CHECK(second.finish() == xxh3_64(as_bytes("abc")));
}

TEST_CASE("checksum: every flipped bit shows") {
  auto text = sample(700);
  const auto good = xxh3_64(as_bytes(text));
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
    if (xxh3_64(as_bytes(text)) == good) FAIL("bit " << bit);
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
  }
  CHECK(xxh3_64(as_bytes(text)) == good);
}
