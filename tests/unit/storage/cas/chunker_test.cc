// Cuts are part of the format: the positions below may never change under chunking version 1.
#include "storage/cas/chunker.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cas;

namespace {

using Bytes = std::vector<std::uint8_t>;

// xorshift64 (Marsaglia 2003, shifts 13, 7, 17), eight bytes a step, the lowest first.
Bytes noise(std::size_t size, std::uint64_t state) {
  Bytes bytes(size);
  for (std::size_t at = 0; at < size; ++at) {
    if (at % 8 == 0) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
    }
    bytes[at] = static_cast<std::uint8_t>(state >> (8 * (at % 8)));
  }
  return bytes;
}

std::vector<std::size_t> cuts_of(ByteView bytes) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; at < bytes.size();) {
    at += cut_chunk(bytes.subspan(at));
    cuts.push_back(at);
  }
  return cuts;
}

}  // namespace

TEST_CASE("version 1 cuts where it always did") {
  // From an independent implementation of the rule in docs/format/pack.md.
  const std::vector<std::size_t> expected{93590,   136797,  182717,  215400,  286321,  418093,  434867,  454697,
                                          517145,  601449,  721796,  769780,  888422,  936020,  992368,  1050373,
                                          1068783, 1103459, 1184293, 1249536, 1303451, 1380437, 1440696, 1518440,
                                          1616133, 1739687, 1823538, 1882933, 1951215, 2022503, 2082091, 2097152};
  CHECK(cuts_of(noise(2u << 20, 0x5eed)) == expected);
  CHECK(kChunkingVersion == 1);
}

TEST_CASE("no bytes are no chunk, and few bytes are one") {
  const Bytes bytes = noise(kChunkMinBytes, 1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunkMinBytes - 1, kChunkMinBytes}) {
    CHECK(cut_chunk(ByteView(bytes).first(size)) == size);
  }
}

TEST_CASE("the cut is the same with every shorter view that holds it, and the end of the file cuts before") {
  const Bytes bytes = noise(kChunkMaxBytes, 2);
  const std::size_t cut = cut_chunk(bytes);
  REQUIRE(cut < kChunkMaxBytes);
  for (std::size_t more = 0; more < 20; ++more) CHECK(cut_chunk(ByteView(bytes).first(cut + more)) == cut);
  for (std::size_t less = 1; less < 20; ++less) CHECK(cut_chunk(ByteView(bytes).first(cut - less)) == cut - less);
}

TEST_CASE("chunks keep their bounds and have their mean") {
  const std::size_t size = 24u << 20;
  const auto cuts = cuts_of(noise(size, 3));
  std::size_t before = 0;
  for (const std::size_t cut : cuts) {
    CHECK(cut - before <= kChunkMaxBytes);
    if (cut != size) CHECK(cut - before >= kChunkMinBytes);
    before = cut;
  }
  const double mean = static_cast<double>(size) / static_cast<double>(cuts.size());
  CHECK(mean == Approx(kChunkTargetBytes).epsilon(0.1));
}

TEST_CASE("a run of one byte becomes the largest chunks") {
  for (const int value : {0, 1, 0x20, 0x80, 0xff}) {
    CHECK(cut_chunk(Bytes(kChunkMaxBytes * 2, static_cast<std::uint8_t>(value))) == kChunkMaxBytes);
  }
}

TEST_CASE("cuts move with the bytes after an insertion") {
  const Bytes before = noise(4u << 20, 4);
  Bytes after = before;
  const Bytes inserted = noise(1000, 5);
  after.insert(after.begin() + 5000, inserted.begin(), inserted.end());
  auto cuts = cuts_of(before);
  for (std::size_t& cut : cuts) cut += inserted.size();
  const auto moved = cuts_of(after);
  std::vector<std::size_t> lost;
  std::ranges::set_difference(cuts, moved, std::back_inserter(lost));
  CHECK(lost.size() <= 3);
}
