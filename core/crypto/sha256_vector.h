// Internal to core/crypto: SHA-256's rounds (FIPS 180-4, 6.2.2) with one message in each 32-bit lane of a vector. Each
// instruction set's file defines MLOPS_VECTOR_TARGET, the attribute its functions need, includes this once and supplies
// `Ops`, the names of its instructions; hence the unnamed namespace: every file has rounds of its own.
#pragma once

#include <algorithm>
#include <utility>

#include "core/crypto/sha256_lanes.h"

#ifndef MLOPS_VECTOR_TARGET
#error "define MLOPS_VECTOR_TARGET first"
#endif

#define MLOPS_VECTOR_INLINE MLOPS_VECTOR_TARGET, gnu::always_inline

namespace mlops::crypto::lanes {
namespace {

constexpr std::size_t kWords = 16;  // of a block

template <class Ops>
struct Working {
  typename Ops::Vector state[kStateWords];
  typename Ops::Vector words[kWords];
};

// Word t of the message from the words t-16, t-15, t-7 and t-2, into the place of the first.
template <class Ops, std::size_t kStep>
[[MLOPS_VECTOR_INLINE]] inline void schedule(Working<Ops>& working) {
  auto& w = working.words;
  const auto fifteen = w[(kStep + 1) % kWords], two = w[(kStep + 14) % kWords];
  const auto low =
      Ops::xor3(Ops::template rotate<7>(fifteen), Ops::template rotate<18>(fifteen), Ops::template shift<3>(fifteen));
  const auto high =
      Ops::xor3(Ops::template rotate<17>(two), Ops::template rotate<19>(two), Ops::template shift<10>(two));
  w[kStep] = Ops::add(Ops::add(w[kStep], low), Ops::add(w[(kStep + 9) % kWords], high));
}

// The eight variables stay where they are; their names move by one a round.
template <class Ops, std::size_t kStep>
[[MLOPS_VECTOR_INLINE]] inline void one_round(Working<Ops>& working, std::uint32_t constant) {
  auto& s = working.state;
  constexpr std::size_t kFirst = kWords - kStep;  // of "a"
  const auto a = s[kFirst % 8], b = s[(kFirst + 1) % 8], c = s[(kFirst + 2) % 8];
  const auto e = s[(kFirst + 4) % 8], f = s[(kFirst + 5) % 8], g = s[(kFirst + 6) % 8];
  auto& d = s[(kFirst + 3) % 8];
  auto& h = s[(kFirst + 7) % 8];
  const auto sum_e = Ops::xor3(Ops::template rotate<6>(e), Ops::template rotate<11>(e), Ops::template rotate<25>(e));
  const auto sum_a = Ops::xor3(Ops::template rotate<2>(a), Ops::template rotate<13>(a), Ops::template rotate<22>(a));
  h = Ops::add(h, Ops::add(working.words[kStep], Ops::broadcast(constant)));
  h = Ops::add(h, Ops::add(sum_e, Ops::choose(e, f, g)));
  d = Ops::add(d, h);
  h = Ops::add(h, Ops::add(sum_a, Ops::majority(a, b, c)));
}

template <class Ops, std::size_t... kSteps>
[[MLOPS_VECTOR_INLINE]] inline void first_rounds(Working<Ops>& working, std::index_sequence<kSteps...>) {
  (one_round<Ops, kSteps>(working, kRoundConstants[kSteps]), ...);
}

template <class Ops, std::size_t... kSteps>
[[MLOPS_VECTOR_INLINE]] inline void next_rounds(Working<Ops>& working, const std::uint32_t* constants,
                                                std::index_sequence<kSteps...>) {
  ((schedule<Ops, kSteps>(working), one_round<Ops, kSteps>(working, constants[kSteps])), ...);
}

// The 64 rounds over the block in `words`.
template <class Ops>
[[MLOPS_VECTOR_INLINE]] inline void all_rounds(Working<Ops>& working) {
  using Steps = std::make_index_sequence<kWords>;
  first_rounds(working, Steps{});
  for (std::size_t t = kWords; t < kRoundConstants.size(); t += kWords) {
    next_rounds(working, kRoundConstants.data() + t, Steps{});
  }
}

// Idle lanes read what exists.
template <class Ops>
void pointers_of(LaneData data, const std::uint8_t* (&lanes)[Ops::kLanes]) {
  for (std::size_t i = 0; i < Ops::kLanes; ++i) lanes[i] = data[i < data.size() ? i : 0];
}

// REQUIRES: as for Kernel::compress, with `word_stride` = Ops::kLanes and `lane_stride` = 1.
template <class Ops>
[[MLOPS_VECTOR_TARGET]] void compress_vectors(std::uint32_t* states, LaneData data, std::size_t blocks) {
  const std::uint8_t* next[Ops::kLanes];
  pointers_of<Ops>(data, next);
  Working<Ops> working;
  for (std::size_t i = 0; i < kStateWords; ++i) working.state[i] = Ops::load(states + i * Ops::kLanes);
  for (; blocks > 0; --blocks) {
    typename Ops::Vector before[kStateWords];
    std::copy_n(working.state, kStateWords, before);
    Ops::load_words(working.words, next);
    all_rounds(working);
    for (std::size_t i = 0; i < kStateWords; ++i) working.state[i] = Ops::add(working.state[i], before[i]);
    for (auto& pointer : next) pointer += kBlockBytes;
  }
  for (std::size_t i = 0; i < kStateWords; ++i) Ops::store(states + i * Ops::kLanes, working.state[i]);
}

// REQUIRES: as for compress_vectors. The digests stay where they are: they are the words of the second block.
template <class Ops>
[[MLOPS_VECTOR_TARGET]] void hmac_vectors(std::uint8_t* const* macs, LaneData data, const State& inner,
                                          const State& outer) {
  constexpr std::uint32_t kEndBit = 0x80000000, kHashedBits = 8 * (kBlockBytes + 4 * kStateWords);
  const std::uint8_t* blocks[Ops::kLanes];
  pointers_of<Ops>(data, blocks);
  Working<Ops> working;
  for (std::size_t i = 0; i < kStateWords; ++i) working.state[i] = Ops::broadcast(inner[i]);
  Ops::load_words(working.words, blocks);
  all_rounds(working);
  for (std::size_t i = 0; i < kStateWords; ++i) {
    working.words[i] = Ops::add(working.state[i], Ops::broadcast(inner[i]));
    working.state[i] = Ops::broadcast(outer[i]);
  }
  working.words[kStateWords] = Ops::broadcast(kEndBit);
  for (std::size_t i = kStateWords + 1; i + 1 < kWords; ++i) working.words[i] = Ops::broadcast(0);
  working.words[kWords - 1] = Ops::broadcast(kHashedBits);
  all_rounds(working);
  for (std::size_t i = 0; i < kStateWords; ++i) {
    working.state[i] = Ops::add(working.state[i], Ops::broadcast(outer[i]));
  }
  Ops::store_digests(working.state, {macs, data.size()});
}

}  // namespace
}  // namespace mlops::crypto::lanes
