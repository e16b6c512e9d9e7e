// Guessing where a file is cut never changes where it is cut.
#include "cli/cmd/guessed_cuts.h"

#include <algorithm>
#include <string>

#include "core/crypto/digest.h"
#include "storage/cas/chunker.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_store.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

constexpr std::size_t kKiB = 1u << 10;
constexpr std::size_t kMiB = 1u << 20;
using Behind = GuessedCuts::Behind;

std::vector<cas::RecipeEntry> cut_plainly(const std::string& content) {
  std::vector<cas::RecipeEntry> chunks;
  auto rest = as_bytes(content);
  while (!rest.empty()) {
    const auto size = cas::cut_chunk(rest);
    chunks.push_back({crypto::sha256(rest.first(size)), size});
    rest = rest.subspan(size);
  }
  return chunks;
}

struct Cut {
  std::vector<cas::RecipeEntry> chunks;
  bool is_hopeless = false;
};

// As a file is read: `piece` bytes more whenever no further chunk can be told.
Cut cut_guessing(const std::string& content, const std::vector<cas::RecipeEntry>& older, std::size_t piece) {
  GuessedCuts guessed(older);
  Cut cut;
  std::size_t begin = 0;
  std::size_t read = 0;
  while (begin < content.size()) {
    read = std::min(read + piece, content.size());
    while (true) {
      const auto behind = read == content.size() ? Behind::kNothing : Behind::kMore;
      const auto chunks = guessed.next(as_bytes(content).subspan(begin, read - begin), behind);
      if (chunks.empty()) break;
      for (const auto& chunk : chunks) begin += chunk.size_bytes;
      cut.chunks.insert(cut.chunks.end(), chunks.begin(), chunks.end());
    }
  }
  cut.is_hopeless = guessed.is_hopeless();
  return cut;
}

void check_same(const std::vector<cas::RecipeEntry>& chunks, const std::vector<cas::RecipeEntry>& expected) {
  REQUIRE(chunks.size() == expected.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    CAPTURE(i);
    REQUIRE(chunks[i].size_bytes == expected[i].size_bytes);
    REQUIRE(chunks[i].digest == expected[i].digest);
  }
}

}  // namespace

TEST_CASE("guessed cuts are those of the chunker, whatever became of the older file") {
  const auto old = random_bytes(1, 3 * kMiB + 777);
  const auto older = cut_plainly(old);
  auto overwritten = old;
  const auto other = random_bytes(2, 100 * kKiB);
  overwritten.replace(kMiB, other.size(), other);
  auto inserted = old;
  inserted.insert(4096, random_bytes(3, 1000));
  auto shortened = old;
  shortened.erase(kMiB + 5, 300'000);
  const std::vector<std::string> contents = {
      old,
      overwritten,
      inserted,
      shortened,
      old + random_bytes(4, 2 * kMiB),         // where the old one ended there is no cut any more
      old + old,                               // again from the beginning
      old.substr(0, 2 * kMiB + 3),             // ends within a chunk
      old.substr(older.front().size_bytes),    // without the first one
      old.substr(kMiB) + old.substr(0, kMiB),  // parts in another order
      random_bytes(5, 2 * kMiB),               // nothing of it
      std::string(2 * kMiB, 'z') + old,        // largest chunks first
      random_bytes(6, 10),
  };
  for (std::size_t i = 0; i < contents.size(); ++i) {
    for (const std::size_t piece : {256 * kKiB, kMiB, 5 * kMiB}) {
      CAPTURE(i, piece);
      check_same(cut_guessing(contents[i], older, piece).chunks, cut_plainly(contents[i]));
    }
  }
}

TEST_CASE("an older file that was changed goes on being a guide") {
  const auto old = random_bytes(1, 3 * kMiB);
  for (const std::size_t at : {std::size_t{0}, std::size_t{4096}, kMiB, 3 * kMiB}) {
    CAPTURE(at);
    auto content = old;
    content.insert(at, random_bytes(2, 1000));
    CHECK_FALSE(cut_guessing(content, cut_plainly(old), kMiB).is_hopeless);
  }
}

TEST_CASE("an older file that has nothing in common is given up for good") {
  const auto content = random_bytes(1, 24 * kMiB);
  const auto older = cut_plainly(random_bytes(2, kMiB));
  const auto cut = cut_guessing(content, older, kMiB);
  CHECK(cut.is_hopeless);
  check_same(cut.chunks, cut_plainly(content));
}

TEST_CASE("an older file that was cut otherwise is no guide") {
  const auto content = random_bytes(1, 3 * kMiB);
  std::vector<cas::RecipeEntry> older;
  for (std::size_t begin = 0; begin < content.size(); begin += 256 * kKiB) {
    older.push_back({crypto::sha256(as_bytes(content).subspan(begin, 256 * kKiB)), 256 * kKiB});
  }
  const auto cut = cut_guessing(content, older, kMiB);
  CHECK(cut.is_hopeless);
  check_same(cut.chunks, cut_plainly(content));
}

TEST_CASE("a list of chunks that cannot be one guesses nothing and breaks nothing") {
  const auto content = random_bytes(1, kMiB);
  std::vector<cas::RecipeEntry> older = {{crypto::sha256("a"), 0}, {crypto::sha256("b"), ~std::uint64_t{0}}};
  check_same(cut_guessing(content, older, 300 * kKiB).chunks, cut_plainly(content));
  older.clear();
  check_same(cut_guessing(content, older, 300 * kKiB).chunks, cut_plainly(content));
}
