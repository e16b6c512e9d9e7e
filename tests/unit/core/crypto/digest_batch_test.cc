#include "core/crypto/digest_batch.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

namespace {

constexpr std::uint32_t kSeed = 20;

std::vector<std::uint8_t> random_bytes(std::size_t size_bytes) {
  std::mt19937 random(kSeed);
  std::vector<std::uint8_t> bytes(size_bytes);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
  return bytes;
}

// Strings of these lengths, each beginning a few bytes after the one before, so that all alignments occur.
std::vector<ByteView> strings(const std::vector<std::uint8_t>& source, const std::vector<std::size_t>& lengths) {
  std::vector<ByteView> views;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::size_t start = i * 7 % (source.size() - lengths[i] + 1);
    views.push_back(ByteView(source).subspan(start, lengths[i]));
  }
  return views;
}

// How many digests differ from OpenSSL's; positions only would not tell more.
std::size_t wrong(Sha256Engine engine, const std::vector<ByteView>& inputs) {
  std::vector<Digest> digests(inputs.size());
  sha256_batch_with(engine, inputs, digests);
  std::size_t count = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) count += digests[i] != sha256(inputs[i]);
  return count;
}

}  // namespace

TEST_CASE("SHA-256 in batches: engines are listed once, OpenSSL last") {
  const auto& engines = sha256_engines();
  REQUIRE_FALSE(engines.empty());
  CHECK(engines.back() == Sha256Engine::kOpenssl);
  std::vector<std::string_view> words;
  for (const Sha256Engine engine : engines) words.push_back(to_word(engine));
  std::sort(words.begin(), words.end());
  CHECK(std::adjacent_find(words.begin(), words.end()) == words.end());
}

TEST_CASE("SHA-256 in batches: every engine agrees with OpenSSL") {
  const auto source = random_bytes(1'200'000);
  for (const Sha256Engine engine : sha256_engines()) {
    INFO(to_word(engine));
    std::vector<std::size_t> lengths(301);
    std::iota(lengths.begin(), lengths.end(), 0);
    CHECK(wrong(engine, strings(source, lengths)) == 0);
    std::reverse(lengths.begin(), lengths.end());
    CHECK(wrong(engine, strings(source, lengths)) == 0);
    // Around the ends of blocks and paddings, many of one length: all lanes end at once.
    for (const std::size_t length : {0, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 4096}) {
      CHECK(wrong(engine, strings(source, std::vector<std::size_t>(37, length))) == 0);
    }
    // Fewer than lanes, exactly as many, one more.
    for (std::size_t count = 0; count <= 34; ++count) {
      CHECK(wrong(engine, strings(source, std::vector<std::size_t>(count, 1'000 + count))) == 0);
    }
  }
}

TEST_CASE("SHA-256 in batches: mixtures of long and short") {
  const auto source = random_bytes(1'200'000);
  std::mt19937 random(kSeed);
  for (const Sha256Engine engine : sha256_engines()) {
    INFO(to_word(engine));
    CHECK(wrong(engine, strings(source, {1'000'003, 1, 2, 3, 4, 5, 6, 7})) == 0);
    CHECK(wrong(engine, strings(source, {1, 2, 3, 70'000, 4, 5, 0, 64, 6, 200'000, 7})) == 0);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::size_t> lengths(1 + random() % 90);
      for (std::size_t& length : lengths) length = random() % (std::size_t{1} << (random() % 15));
      CHECK(wrong(engine, strings(source, lengths)) == 0);
    }
  }
}

// Each string has memory of its own, so that the address sanitizer sees what is read beside it.
TEST_CASE("SHA-256 in batches: nothing but the inputs is read") {
  std::vector<std::vector<std::uint8_t>> owners;
  for (std::size_t length = 1; length < 3'000; length += 61) owners.emplace_back(length, std::uint8_t{7});
  const std::vector<ByteView> inputs(owners.begin(), owners.end());
  for (const Sha256Engine engine : sha256_engines()) {
    INFO(to_word(engine));
    CHECK(wrong(engine, inputs) == 0);
    StreamHasher stream(engine);
    std::size_t wrong_pieces = 0;
    for (const ByteView input : inputs) wrong_pieces += stream.update_and_digest(input) != sha256(input);
    CHECK(wrong_pieces == 0);
  }
}

TEST_CASE("SHA-256 in batches: the engine is chosen without being named") {
  const auto source = random_bytes(10'000);
  const std::vector<ByteView> inputs = strings(source, {0, 10'000, 3});
  std::vector<Digest> digests(inputs.size());
  sha256_batch(inputs, digests);
  for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(digests[i] == sha256(inputs[i]));
  sha256_batch({}, {});
}

TEST_CASE("SHA-256 of a stream in pieces, with and without digests of the pieces") {
  const auto source = random_bytes(400'000);
  std::mt19937 random(kSeed);
  for (const Sha256Engine engine : sha256_engines()) {
    INFO(to_word(engine));
    for (int round = 0; round < 60; ++round) {
      StreamHasher stream(engine);
      std::size_t at = 0, wrong_pieces = 0;
      for (int piece = 0; piece < 12; ++piece) {
        const auto bytes = ByteView(source).subspan(at, random() % (std::size_t{1} << (random() % 13)));
        if (random() % 3 == 0) {
          stream.update(bytes);
        } else {
          wrong_pieces += stream.update_and_digest(bytes) != sha256(bytes);
        }
        at += bytes.size();
      }
      CHECK(wrong_pieces == 0);
      CHECK(stream.size_bytes() == at);
      CHECK(stream.finish() == sha256(ByteView(source).first(at)));
    }
  }
}

TEST_CASE("SHA-256 of a stream: every length of what waits with every length of a short piece") {
  const auto source = random_bytes(400);
  std::size_t wrong_pieces = 0, wrong_streams = 0;
  for (std::size_t waiting = 0; waiting <= 64; ++waiting) {
    for (std::size_t length = 0; length <= 260; ++length) {
      const auto piece = ByteView(source).subspan(waiting, length);
      StreamHasher stream;
      stream.update(ByteView(source).first(waiting));
      wrong_pieces += stream.update_and_digest(piece) != sha256(piece);
      StreamHasher other = stream;
      other.update(ByteView(source).first(5));
      wrong_streams += stream.finish() != sha256(ByteView(source).first(waiting + length));
      wrong_streams += other.size_bytes() != waiting + length + 5;
    }
  }
  CHECK(wrong_pieces == 0);
  CHECK(wrong_streams == 0);
  CHECK(StreamHasher().finish() == sha256(""));
  CHECK(StreamHasher().update_and_digest({}) == sha256(""));
}
