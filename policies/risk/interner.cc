#include "policies/risk/interner.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/crypto/seal.h"

namespace mlops::risk {
namespace {

constexpr std::size_t kBlockBytes = 64u << 10;

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  return xxh3_64(as_bytes(text), seed);
}

std::uint64_t hash_tuple(std::span<const Code> tuple, std::uint64_t seed) {
  return xxh3_64({reinterpret_cast<const std::uint8_t*>(tuple.data()), tuple.size_bytes()}, seed);
}

}  // namespace

std::uint64_t hash_seed() {
  std::uint64_t seed = 0;
  if (const auto bytes = crypto::random_bytes(sizeof seed)) {
    std::memcpy(&seed, bytes->data(), sizeof seed);
    return seed;
  }
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

Code TextInterner::code_of(std::string_view text) {
  const auto hash = hash_text(text, seed_);
  std::size_t slot = 0;
  const auto known = slots_.find(hash, slot, [&](Code code) { return texts_[code] == text; });
  if (known != kNoCode) return known;
  const auto code = static_cast<Code>(texts_.size());
  texts_.push_back(store(text));
  slots_.put(slot, hash, code);
  if (slots_.is_full()) slots_.grow([this](Code old) { return hash_text(texts_[old], seed_); });
  return code;
}

std::string_view TextInterner::store(std::string_view text) {
  if (text.size() > block_left_) {
    const auto size = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique<char[]>(size));
    block_at_ = blocks_.back().get();
    block_left_ = size;
    stored_bytes_ += size;
  }
  char* const at = block_at_;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  block_at_ += text.size();
  block_left_ -= text.size();
  return {at, text.size()};
}

Code TupleInterner::code_of(std::span<const Code> tuple) {
  const auto hash = hash_tuple(tuple, seed_);
  std::size_t slot = 0;
  const auto known = slots_.find(
      hash, slot, [&](Code code) { return std::equal(tuple.begin(), tuple.end(), this->tuple(code).begin()); });
  if (known != kNoCode) return known;
  const auto code = static_cast<Code>(count_++);
  codes_.insert(codes_.end(), tuple.begin(), tuple.end());
  slots_.put(slot, hash, code);
  if (slots_.is_full()) slots_.grow([this](Code old) { return hash_tuple(this->tuple(old), seed_); });
  return code;
}

}  // namespace mlops::risk
